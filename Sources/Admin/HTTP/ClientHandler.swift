internal import NIOCore
internal import NIOHTTP1

/// One client: takes its requests, one at a time, and writes the answers as fast as it reads them.
///
/// Belongs to its channel, on the server's loop. Every wait has an end: for a request, for an answer, for a reader.
final class ClientHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Phase {
        case waiting
        case receiving
        case answering
        case streaming(ConnectionListing, next: Int)
        case listening
    }

    let site: AdminSite
    let audience: Audience
    /// The peer of a Unix socket.
    var caller: AdminCaller?
    private var context: ChannelHandlerContext?
    private var phase = Phase.waiting
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var keepsAlive = false
    /// Counts requests, so that a late answer is not taken for another request's.
    private var serial: UInt64 = 0
    /// The end of the last answer.
    private var lastWrite: EventLoopFuture<Void>?
    private var deadline: Scheduled<Void>?
    private var stall: Scheduled<Void>?
    /// Since when it waits for a request.
    private(set) var waitingSince = NIODeadline.now()

    init(site: AdminSite, audience: Audience) {
        self.site = site
        self.audience = audience
    }

    /// It waits for a request, so that nobody loses anything when it is sent away.
    var isIdle: Bool { if case .waiting = phase { true } else { false } }

    func close() {
        context?.close(promise: nil)
    }

    // MARK: The channel

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        guard site.enter(self) else { return context.close(promise: nil) }
        expect(within: AdminLimits.request)
    }

    func channelInactive(context: ChannelHandlerContext) {
        endStreams()
        deadline?.cancel()
        stall?.cancel()
        site.leave(self)
        self.context = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed? = event as? ChannelEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        switch phase {
        // It has asked and waits for the answer.
        case .answering, .streaming: keepsAlive = false
        case .waiting: closeOnceWritten()
        case .receiving, .listening: context.close(promise: nil)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.cancel()
        stall = nil
        if context.channel.isWritable {
            pump()
            site.hub.isWritable(self)
        } else {
            stall = after(AdminLimits.stalledReader) { $0.close() }
        }
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            phase = .receiving
            serial += 1
            self.head = head
            body = []
        case .body(let part):
            guard case .receiving = phase else { return }
            if body.count + part.readableBytes > AdminLimits.body {
                head?.headers.replaceOrAdd(name: "Connection", value: "close")
                keepsAlive = false
                phase = .answering
                return finish(.error(.payloadTooLarge, "a request's body may have \(AdminLimits.body) bytes"))
            }
            body.append(contentsOf: part.readableBytesView)
        case .end:
            guard case .receiving = phase, let head else { return }
            phase = .answering
            keepsAlive = head.isKeepAlive
            expect(within: AdminLimits.answer)
            let request = Request(head: head, body: body, audience: audience, caller: caller)
            body = []
            site.answer(request, Reply(client: self, serial: serial))
        }
    }

    // MARK: Answers

    /// Sends the answer to request `serial`, unless that is over.
    func send(_ answer: Answer, to serial: UInt64) {
        guard case .answering = phase, serial == self.serial, context != nil else { return }
        switch answer {
        case .complete(let answer): finish(answer)
        case .connections(let listing): begin(listing)
        case .events(let filter): listen(filter)
        }
    }

    private func finish(_ answer: CompleteAnswer) {
        guard let context else { return }
        writeHead(answer.status, answer.contentType, answer.headers + [("Content-Length", "\(answer.body.count)")])
        if head?.method != .HEAD, !answer.body.isEmpty {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))), promise: nil)
        }
        end()
    }

    private func begin(_ listing: ConnectionListing) {
        if head?.method == .HEAD {
            writeHead(.ok, "application/json", [])
            return end()
        }
        expect(within: AdminLimits.transfer)
        phase = .streaming(listing, next: 0)
        listing.enter(self) { [weak self] in self?.pump() }
        pump()
    }

    /// Writes as much of a listing as there is and the client takes.
    private func pump() {
        guard let context, case .streaming(let listing, var next) = phase else { return }
        if next == 0 {
            // Until there is something, it can still turn out that there will be nothing.
            if listing.isFailed {
                listing.leave(self)
                phase = .answering
                return finish(.busy)
            }
            if !listing.chunks.isEmpty { writeHead(.ok, "application/json", []) }
        }
        let first = next
        while next < listing.chunks.count, context.channel.isWritable {
            context.write(wrapOutboundOut(.body(.byteBuffer(listing.chunks[next]))), promise: nil)
            next += 1
            phase = .streaming(listing, next: next)
            if next.isMultiple(of: 8) { context.flush() }
        }
        if next > first { context.flush() }
        guard next == listing.chunks.count else { return }
        if listing.isComplete {
            listing.leave(self)
            site.sweep(.now())
            end()
        } else if listing.isFailed {
            // The body lacks its end, and the client sees that.
            context.close(promise: nil)
        }
    }

    private func listen(_ filter: EventFilter) {
        guard site.hub.hasRoom else { return finish(.busy) }
        writeHead(.ok, "text/event-stream", [])
        if head?.method == .HEAD { return end() }
        phase = .listening
        deadline?.cancel()
        context?.flush()
        site.hub.enter(self, filter)
    }

    /// Writes an event.
    ///
    /// - Returns: false when the client has not taken what was written before.
    func push(_ event: ByteBuffer) -> Bool {
        guard let context, case .listening = phase, context.channel.isWritable else { return false }
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(event))), promise: nil)
        return true
    }

    /// Ends an event stream in order.
    func endEvents() {
        guard case .listening = phase else { return }
        keepsAlive = false
        end()
    }

    private func writeHead(
        _ status: HTTPResponseStatus, _ contentType: String, _ extra: [(name: String, value: String)]
    ) {
        var headers = HTTPHeaders([
            ("Content-Type", contentType), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"),
            ("Cross-Origin-Resource-Policy", "same-origin"), ("Referrer-Policy", "no-referrer"),
        ])
        for (name, value) in extra { headers.replaceOrAdd(name: name, value: value) }
        if !keepsAlive { headers.add(name: "Connection", value: "close") }
        context?.write(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
    }

    private func end() {
        guard let context else { return }
        head = nil
        guard keepsAlive else {
            let channel = context.channel
            context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
            return
        }
        phase = .waiting
        waitingSince = .now()
        expect(within: AdminLimits.request)
        // Before the write: it may deliver the next request, or the client's last word, before it returns.
        let promise = context.eventLoop.makePromise(of: Void.self)
        lastWrite = promise.futureResult
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: promise)
    }

    /// Closes when the last answer, if there was one, is on its way.
    private func closeOnceWritten() {
        guard let context else { return }
        let channel = context.channel
        guard let lastWrite else { return context.close(promise: nil) }
        lastWrite.whenComplete { _ in channel.close(promise: nil) }
    }

    private func endStreams() {
        if case .streaming(let listing, _) = phase {
            listing.leave(self)
            site.sweep(.now())
        }
        site.hub.leave(self)
    }

    // MARK: Time

    private func expect(within time: TimeAmount) {
        deadline?.cancel()
        deadline = after(time) { client in
            if case .answering = client.phase {
                client.keepsAlive = false
                client.finish(.error(.serviceUnavailable, "the daemon's main thread does not answer"))
            } else {
                client.close()
            }
        }
    }

    private func after(_ time: TimeAmount, _ act: @escaping @Sendable (ClientHandler) -> Void) -> Scheduled<Void>? {
        guard let context else { return nil }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        return context.eventLoop.scheduleTask(in: time) { act(bound.value) }
    }
}
