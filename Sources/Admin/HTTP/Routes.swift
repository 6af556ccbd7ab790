internal import NIOCore
internal import NIOHTTP1

/// Which request is answered how.
extension AdminSite {
    func answer(_ request: Request, _ reply: Reply) {
        if request.audience == .reader, let refusal = hosts.refusal(request.head.headers) {
            return reply.send(.error(.forbidden, refusal))
        }
        guard let query = Query(request.head.uri) else {
            return reply.send(.error(.badRequest, "the request's target is not a path"))
        }
        let parts = query.path.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        switch parts.first {
        case "v1" where parts.count == 3 && parts[1] == "connections":
            change(request, reply, .DELETE) { closeConnection(parts[2], $0, reply) }
        case "v1" where parts.count == 3 && parts[1] == "links":
            change(request, reply, .PATCH) { changeLink(parts[2], request.body, $0, reply) }
        case "v1" where parts.count == 4 && parts[1] == "relays" && parts[3] == "upstreams":
            change(request, reply, .PATCH) { changeUpstream(of: parts[2], request.body, $0, reply) }
        case "v1" where parts == ["v1", "reload"]: change(request, reply, .POST) { reload($0, reply) }
        default: read(request, query, reply)
        }
    }

    // MARK: What changes nothing

    private func read(_ request: Request, _ query: Query, _ reply: Reply) {
        guard let page = ReadablePage(rawValue: query.path) else {
            return reply.send(.error(.notFound, "there is nothing at \(query.path.prefix(200)); see /openapi.json"))
        }
        guard request.head.method == .GET || request.head.method == .HEAD else {
            return reply.send(.error(.methodNotAllowed, "only GET and HEAD", headers: [("Allow", "GET, HEAD")]))
        }
        switch page {
        case .status: reply.send(.json(backend.status()))
        case .connections: listConnections(request.audience, reply)
        case .paths: paths(reply)
        case .metrics:
            let text = MetricsText(backend.metrics()).text
            reply.send(CompleteAnswer(.ok, MetricsText.contentType, Array(text.utf8)))
        case .events: events(query, reply)
        case .busiest: busiest(query, reply)
        case .history:
            reply.send(
                CompleteAnswer(
                    .ok, "application/json", history?.document ?? Array("{\"interval_seconds\":2,\"samples\":[]}".utf8))
            )
        case .dashboard, .script, .style, .icon, .description: reply.send(Asset.at(query.path))
        case .health: health(reply)
        case .readiness: readiness(reply)
        }
    }

    private enum ReadablePage: String {
        case status = "/v1/status"
        case connections = "/v1/connections"
        case paths = "/v1/paths"
        case metrics = "/metrics"
        case events = "/v1/events"
        case busiest = "/v1/busiest"
        case history = "/v1/history"
        case dashboard = "/"
        case script = "/dashboard.js"
        case style = "/dashboard.css"
        case icon = "/icon.svg"
        case description = "/openapi.json"
        case health = "/healthz"
        case readiness = "/readyz"
    }

    private func paths(_ reply: Reply) {
        let send = reply.later()
        submit(reply, .paths { send(.json($0)) })
    }

    private func listConnections(_ audience: Audience, _ reply: Reply) {
        guard let listing = connections(for: audience) else { return reply.send(.busy) }
        reply.send(.connections(listing))
    }

    private func events(_ query: Query, _ reply: Reply) {
        switch EventFilter.parse(query) {
        case .success(let filter): reply.send(.events(filter))
        case .failure(let error): reply.send(.error(.badRequest, error.message))
        }
    }

    private func busiest(_ query: Query, _ reply: Reply) {
        switch BusiestQuery.parse(query) {
        case .success(let wanted): if !busiest(wanted, reply) { reply.send(.busy) }
        case .failure(let error): reply.send(.error(.badRequest, error.message))
        }
    }

    private func health(_ reply: Reply) {
        let send = reply.later()
        submit(
            reply,
            .ping { isAlive in
                send(isAlive ? .text("ok") : .text("an event loop makes no progress", status: .serviceUnavailable))
            })
    }

    private func readiness(_ reply: Reply) {
        let status = backend.status()
        if status.ready, !status.draining { return reply.send(.text("ready")) }
        reply.send(.text(status.draining ? "stopping" : "starting", status: .serviceUnavailable))
    }

    // MARK: What changes something

    /// Lets only the socket's owner through.
    private func change(
        _ request: Request, _ reply: Reply, _ method: HTTPMethod, _ act: (AdminCaller) -> Void
    ) {
        guard request.head.method == method else {
            return reply.send(.error(.methodNotAllowed, "only \(method)", headers: [("Allow", "\(method)")]))
        }
        guard request.audience == .owner else {
            return reply.send(.error(.forbidden, "this address is read-only; changes go through the admin socket"))
        }
        // Changes are logged with who asked for them; what the kernel does not name asks for nothing.
        guard let caller = request.caller else {
            let reason = "the kernel does not say who asks; changes go through the admin socket"
            return reply.send(.error(.forbidden, reason))
        }
        act(caller)
    }

    private func closeConnection(_ text: String, _ caller: AdminCaller, _ reply: Reply) {
        guard let id = UInt64(text) else {
            return reply.send(.error(.badRequest, "\"\(text.prefix(40))\" is not a connection's number"))
        }
        let send = reply.later()
        submit(
            reply,
            .close(connection: id, by: caller) { found in
                send(found ? CompleteAnswer.noContent : .error(.notFound, "there is no connection \(id)"))
            })
    }

    private func changeLink(_ name: String, _ body: [UInt8], _ caller: AdminCaller, _ reply: Reply) {
        let change: LinkRoleChange
        switch LinkRoleChange.parse(body) {
        case .success(let parsed): change = parsed
        case .failure(let error): return reply.send(.error(.badRequest, error.message))
        }
        let send = reply.later()
        submit(
            reply,
            .link(name: name, change, by: caller) { answer in
                switch answer {
                case .changed(let link): send(.json(link))
                case .unknown(let names):
                    let known = names.isEmpty ? "there are none" : names.joined(separator: ", ")
                    send(.error(.notFound, "there is no link \"\(name.prefix(100))\"; links: \(known)"))
                }
            })
    }

    private func changeUpstream(of relay: String, _ body: [UInt8], _ caller: AdminCaller, _ reply: Reply) {
        let change: UpstreamChange
        switch UpstreamChange.parse(body) {
        case .success(let parsed): change = parsed
        case .failure(let error): return reply.send(.error(.badRequest, error.message))
        }
        let send = reply.later()
        submit(
            reply,
            .upstream(relay: relay, change, by: caller) { answer in
                switch answer {
                case .changed(let upstream): send(.json(upstream))
                case .unknownRelay(let names):
                    let known = names.joined(separator: ", ")
                    send(.error(.notFound, "there is no relay \"\(relay.prefix(100))\"; relays: \(known)"))
                case .unknownUpstream(let addresses):
                    let known = addresses.joined(separator: ", ")
                    send(
                        .error(
                            .notFound, "\(relay) has no upstream \"\(change.address.prefix(200))\"; upstreams: \(known)"
                        ))
                }
            })
    }

    private func reload(_ caller: AdminCaller, _ reply: Reply) {
        let send = reply.later()
        submit(
            reply,
            .reload(by: caller) { answer in
                switch answer {
                case .reloaded: send(.noContent)
                case .invalid(let errors): send(.error(.unprocessableEntity, errors.joined(separator: "\n")))
                }
            })
    }

    private func submit(_ reply: Reply, _ request: AdminRequest) {
        if !backend.submit(request) { reply.send(.busy) }
    }
}

extension CompleteAnswer {
    static let noContent = CompleteAnswer(.noContent, "text/plain", [])
}
