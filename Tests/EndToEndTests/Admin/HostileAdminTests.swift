import Lab
import Testing

extension EndToEndSuite {
    /// Clients of the admin interface that are slow, huge, many or wrong: relays and memory do not notice.
    @Suite(.serialized) struct HostileAdminTests {
        /// Each prints `ok …`, or what went wrong.
        private func run(_ script: String, _ admin: AdminLab) throws -> String {
            let prelude = """
                import socket, sys, time
                def client():
                    s = socket.create_connection(('127.0.0.1', 9180)); s.settimeout(30); return s
                def answer(s):
                    data = b''
                    try:
                        while part := s.recv(65536): data += part
                    except ConnectionError: pass
                    return data
                HEAD = b'GET /v1/status HTTP/1.1\\r\\nHost: localhost\\r\\n'

                """
            return try admin.host.run(["python3", "-c", prelude + script], timeout: .seconds(90)).standardOutput
        }

        private func works(_ admin: AdminLab) async throws {
            #expect(try admin.reader("/v1/status").status == 200)
            #expect(try admin.command("status").status == .exited(0))
        }

        @Test func hugeAndWrongRequests() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                let output = try run(
                    """
                    def refused(name, *parts):
                        s = client()
                        try:
                            for part in parts: s.sendall(part)
                            s.shutdown(socket.SHUT_WR)
                        except ConnectionError: pass
                        data = answer(s)
                        if data and not data.startswith(b'HTTP/1.1 4'): sys.exit(name + ': ' + repr(data[:300]))
                    refused('long target', b'GET /' + b'a' * 100000 + b' HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n')
                    refused('long field', HEAD + b'X: ' + b'a' * 100000 + b'\\r\\n\\r\\n')
                    refused('many fields', HEAD + b''.join(b'X%d: y\\r\\n' % n for n in range(1000)) + b'\\r\\n')
                    refused('endless head', HEAD, *[b'X: ' + b'a' * 1000 + b'\\r\\n'] * 10000)
                    refused('huge body', b'PATCH /v1/links/x HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: 100000000\\r\\n\\r\\n', *[b'a' * 100000] * 100)
                    refused('endless chunks', b'POST /v1/reload HTTP/1.1\\r\\nHost: localhost\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n', *[b'1000\\r\\n' + b'a' * 4096 + b'\\r\\n'] * 1000)
                    refused('garbage', bytes(range(256)) * 400)
                    refused('zeros', b'\\0' * 100000)
                    refused('no host', b'GET / HTTP/1.1\\r\\n\\r\\n')
                    refused('two lengths', HEAD + b'Content-Length: 1\\r\\nContent-Length: 2\\r\\n\\r\\nab')
                    refused('TLS', bytes.fromhex('16030100c8010000c403') + b'x' * 200)
                    print('ok')
                    """, admin)
                #expect(output == "ok\n")
                try await works(admin)
            }
        }

        @Test func everyTruncationOfARequest() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                let output = try run(
                    """
                    request = HEAD + b'X: y\\r\\n\\r\\n'
                    for length in range(len(request)):
                        s = client(); s.sendall(request[:length]); s.shutdown(socket.SHUT_WR)
                        data = answer(s)
                        if data.startswith(b'HTTP/1.1 2'): sys.exit('answered: ' + repr(request[:length]))
                    # Whole, and its sender says no more: it is answered nevertheless.
                    s = client(); s.sendall(request); s.shutdown(socket.SHUT_WR)
                    if not answer(s).startswith(b'HTTP/1.1 200'): sys.exit('not answered')
                    print('ok')
                    """, admin)
                #expect(output == "ok\n")
            }
        }

        @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                let output = try run(
                    """
                    import threading
                    s = client()
                    many = 300
                    requests = b''.join(b'GET %s HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n' % (b'/readyz' if n % 2 else b'/healthz') for n in range(many))
                    threading.Thread(target=lambda: (s.sendall(requests), s.shutdown(socket.SHUT_WR)), daemon=True).start()
                    data = answer(s)
                    bodies = [part.split(b'\\r\\n\\r\\n')[1] for part in data.split(b'HTTP/1.1 200 OK')[1:]]
                    if bodies != [b'ready\\n' if n % 2 else b'ok\\n' for n in range(many)]: sys.exit(repr(bodies)[:500])
                    print('ok')
                    """, admin)
                #expect(output == "ok\n")
            }
        }

        @Test func aThousandIdleAndSlowClientsHarmNobody() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                let before = try admin.braid.residentBytes()
                let crowd = try admin.host.spawn(
                    [
                        "python3", "-uc",
                        """
                        import socket, time
                        crowd = []
                        for n in range(1000):
                            s = socket.create_connection(('127.0.0.1', 9180)); crowd.append(s)
                            try:
                                if n % 3 == 1: s.send(b'GET /v1/connections HTTP/1.1\\r\\nHo')
                                if n % 3 == 2: s.send(b'GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n')
                            except ConnectionError: pass
                        print('here', flush=True)
                        for n in range(600):
                            for s in crowd[1::3]:
                                try: s.send(b's')
                                except OSError: pass
                            time.sleep(0.1)
                        """,
                    ])
                try await crowd.line(containing: "here", timeout: .seconds(60))
                // The owner has places of its own, relays go on, and nothing grows.
                #expect(try admin.command("status").status == .exited(0))
                let peer = try Peer(in: admin.host)
                try await peer.must("c connect 127.0.0.1 8080")
                for _ in 0..<20 {
                    try await peer.must("c send hello")
                    #expect(try await peer.must("c read 5") == "hello")
                }
                #expect(try admin.braid.openDescriptors() < 250)
                #expect(try admin.braid.residentBytes() < before + 24 << 20)
                // Those that do not get on are sent away, and there is room again.
                try await eventually("readers are let in again", within: .seconds(60)) {
                    (try? admin.reader("/readyz").status) == 200
                }
                crowd.terminate()
                try await works(admin)
            }
        }

        @Test func aReaderThatDoesNotReadIsSentAway() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                let output = try run(
                    """
                    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096); s.settimeout(60)
                    s.connect(('127.0.0.1', 9180))
                    began = time.monotonic()
                    try:
                        while time.monotonic() - began < 60: s.sendall((HEAD + b'\\r\\n') * 100)
                        sys.exit('never sent away')
                    except TimeoutError: sys.exit('never sent away')
                    except ConnectionError: print('ok')
                    """, admin)
                #expect(output == "ok\n")
                try await works(admin)
            }
        }
    }
}
