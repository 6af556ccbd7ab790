import FoundationEssentials
import Lab
import Testing

extension EndToEndSuite {
    /// `/openapi.json` against what is served.
    @Suite(.serialized) struct DescriptionTests {
        /// What is served, as the program's own source has it.
        private func servedPaths() throws -> Set<String> {
            let routes = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent()
                .appendingPathComponent("Sources/Admin/HTTP/Routes.swift")
            let text = try String(contentsOf: routes, encoding: .utf8)
            var served = Set(text.matches(of: /= "(\/[^"]*)"/).map { String($0.1) })
            for change in text.matches(
                of: /case "v1" where parts(?:\.count == 3 && parts\[1\] == "([a-z]+)"| == \[([^\]]+)\])/)
            {
                if let collection = change.1 {
                    served.insert("/v1/\(collection)/{\(collection == "links" ? "name" : "id")}")
                } else if let parts = change.2 {
                    served.insert("/" + parts.replacing("\"", with: "").replacing(", ", with: "/"))
                }
            }
            if text.contains(#"parts.count == 4 && parts[1] == "relays" && parts[3] == "upstreams""#) {
                served.insert("/v1/relays/{name}/upstreams")
            }
            return served
        }

        @Test func everyServedPathIsDescribed() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                let described = try #require(JSON.parse(try admin.owner("/openapi.json").body)["paths"]).names
                let assets: Set = ["/dashboard.js", "/dashboard.css", "/icon.svg"]
                let served = try servedPaths()
                #expect(served.isSuperset(of: ["/v1/status", "/v1/reload", "/v1/links/{name}", "/metrics", "/"]))
                #expect(served.subtracting(assets).subtracting(described) == [])
                #expect(described.subtracting(served) == [])
            }
        }

        /// Answers of a daemon with links, connections of every kind, and errors, validated against their schemas.
        @Test func answersAreAsDescribed() async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                _ = try await paths.startFar(upstream: "echo://")
                let braid = try await paths.startNear(
                    relay: """
                        [[relay]]
                        name = "choose"
                        listen = "socks5://127.0.0.1:1080"
                        upstream = "direct+tcp://"
                        [[relay]]
                        name = "dead"
                        listen = "tcp://127.0.0.1:8081"
                        upstream = "tcp://192.0.2.1:9"
                        connect-timeout = "60s"
                        """)
                let peer = try Peer(in: paths.near)
                try await peer.must("c connect 127.0.0.1 8080")
                try await peer.must("c send hello")
                #expect(try await peer.must("c read 5") == "hello")
                // One that says nothing, and one that waits for its upstream.
                try await peer.must("h connect 127.0.0.1 1080")
                try await peer.must("d connect 127.0.0.1 8081")
                try await paths.until("two subflows") { try paths.subflows() == [2] }
                let output = try paths.near.run(
                    ["python3", "-W", "ignore", "-c", Self.program, braid.socket], expecting: nil, timeout: .seconds(60)
                )
                #expect(output.status == .exited(0), "\(output.standardOutput)\(output.standardError)")
                #expect(output.standardOutput.contains("3 connections, 2 links"), "\(output.standardOutput)")
            }
        }

        /// Asks for everything that the description names and holds it against the schema of its status; says what it saw.
        private static let program = """
            import http.client, json, socket, sys
            from jsonschema import Draft202012Validator
            class Connection(http.client.HTTPConnection):
                def connect(self):
                    self.sock = socket.socket(socket.AF_UNIX); self.sock.settimeout(20); self.sock.connect(sys.argv[1])
            def ask(method, path, body=None):
                c = Connection('localhost')
                c.request(method, path, body, {'Content-Type': 'application/json'} if body else {})
                answer = c.getresponse()
                return answer.status, answer.getheader('Content-Type', ''), answer.read()
            description = json.loads(ask('GET', '/openapi.json')[2])
            def strict(schema):
                # What the description does not name is not to be there.
                if isinstance(schema, dict):
                    if schema.get('type') == 'object' and 'properties' in schema: schema.setdefault('additionalProperties', False)
                    for part in schema.values(): strict(part)
                elif isinstance(schema, list):
                    for part in schema: strict(part)
            strict(description['components'])
            seen = {}
            def check(method, path, target=None, body=None, expected=200):
                status, kind, text = ask(method, target or path, body)
                where = '%s %s: %d' % (method, target or path, status)
                if status != expected: sys.exit('%s, not %d: %r' % (where, expected, text[:300]))
                response = description['paths'][path][method.lower()]['responses'].get(str(status))
                if response is None: sys.exit(where + ' is not described')
                content = response.get('content', {})
                if not content:
                    if text and status == 204: sys.exit(where + ' has a body')
                    return
                if kind.split(';')[0] not in content: sys.exit(where + ': ' + kind)
                if kind != 'application/json': return
                schema = content[kind].get('schema')
                if schema is None: return
                value = json.loads(text)
                root = {'components': description['components'], **schema}
                errors = [e.json_path + ': ' + e.message for e in Draft202012Validator(root).iter_errors(value)]
                if errors: sys.exit(where + ': ' + '; '.join(errors[:5]))
                seen[target or path] = value
            for path, methods in description['paths'].items():
                if 'get' in methods and path != '/v1/events': check('GET', path)
            check('GET', '/v1/busiest', '/v1/busiest?sort=bytes&limit=3')
            check('PATCH', '/v1/links/{name}', '/v1/links/lte', '{"backup": true}')
            check('PATCH', '/v1/links/{name}', '/v1/links/lte', '{"backup": false}')
            check('PATCH', '/v1/links/{name}', '/v1/links/lte', '{"nonsense": false}', 400)
            check('PATCH', '/v1/links/{name}', '/v1/links/nosuch', '{"up": true}', 404)
            check('DELETE', '/v1/connections/{id}', '/v1/connections/1', None, 404)
            check('POST', '/v1/reload', expected=204)
            connections, status = seen['/v1/connections'], seen['/v1/status']
            check('DELETE', '/v1/connections/{id}', '/v1/connections/%d' % connections[0]['id'], None, 204)
            states = {c['state'] for c in connections}
            if not {'handshake', 'relaying'} <= states: sys.exit(repr(states))
            print('%d connections, %d links' % (len(connections), len(status['links'])))
            """
    }
}
