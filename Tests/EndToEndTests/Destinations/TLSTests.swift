import FoundationEssentials
import Glibc
import Lab
import Testing

extension EndToEndSuite {
    /// TLS 1.3 between the two ends: what it carries, and whom it refuses. In one host, over loopback's MPTCP.
    @Suite(.serialized) struct TLSTests {
        private static let entrance = 8000
        private static let exit = 9000

        /// A near and a far end: the client comes to `entrance`, the server listens at `exit`.
        private struct Ends {
            let host: Host
            let certificates: Certificates
            let near: BraidProcess
            let far: BraidProcess
            let peer: Peer
        }

        /// - Parameters:
        ///   - near: `tls.upstream`, `$` standing for the certificates' directory.
        ///   - far: `tls.listen`, likewise.
        ///   - nearKeys: Other keys of the near relay.
        ///   - farKeys: Other keys of the far relay.
        ///   - files: Further files, by name.
        private func withEnds(
            near: String =
                "ca = \"$ca.pem\", server-name = \"far.example\", certificate = \"$near.pem\", key = \"$near.key\"",
            far: String = "certificate = \"$far.pem\", key = \"$far.key\", client-ca = \"$ca.pem\"",
            nearKeys: String = "", farKeys: String = "", upstream: String = "tcp://127.0.0.1:9000",
            certificates make: (Certificates) throws -> Void = { _ in },
            _ body: (Ends) async throws -> Void
        ) async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let certificates = try Certificates(in: host)
                try certificates.make("far")
                try certificates.make("near")
                try make(certificates)
                let files = certificates.path("")
                let farBraid = try await BraidProcess.start(
                    TwoEnds.relay("far", listen: "mptcp://127.0.0.1:7143", upstream: upstream)
                        + "tls.listen = { \(far.replacing("$", with: files)) }\n" + farKeys, in: host)
                let nearBraid = try await BraidProcess.start(
                    TwoEnds.relay(
                        "near", listen: "tcp://127.0.0.1:\(Self.entrance)", upstream: "mptcp://127.0.0.1:7143")
                        + "tls.upstream = { \(near.replacing("$", with: files)) }\n" + nearKeys, in: host)
                try await body(
                    Ends(
                        host: host, certificates: certificates, near: nearBraid, far: farBraid, peer: try Peer(in: host)
                    ))
            }
        }

        // MARK: What it carries

        @Test func bytesBothWaysEachEndingByItself() async throws {
            try await withEnds { ends in
                let peer = ends.peer
                let server = try Peer(in: ends.host)
                try await server.must("s listen 127.0.0.1 \(Self.exit)")
                try await peer.must("A connect 127.0.0.1 \(Self.entrance)")
                try await peer.must("A send hello")
                try await server.must("s accept B")
                #expect(try await server.must("B read 5") == "hello")
                let size = 20_000_000
                let up = try peer.begin("A send-bytes \(size)")
                let arrived = try await server.must("B read-bytes \(size)")
                #expect(try await up.answer() == "ok \(arrived)")
                try await peer.must("A shutdown")
                #expect(try await server.must("B end") == "end")
                // The other direction goes on.
                let down = try server.begin("B send-bytes \(size)")
                let back = try await peer.must("A read-bytes \(size)")
                #expect(try await down.answer() == "ok \(back)")
                try await server.must("B close")
                #expect(try await peer.must("A end") == "end")
                for braid in [ends.near, ends.far] {
                    let record = try await braid.connections()[0]
                    #expect(record.result == "closed", "\(record)")
                    #expect(record["multipath"] == "yes", "\(record)")
                    #expect(record.number("bytes_up") == size + 5, "\(record)")
                    #expect(record.number("bytes_down") == size, "\(record)")
                }
            }
        }

        @Test func aReaderThatWaitsHoldsTheSenderAndLosesNothing() async throws {
            try await withEnds { ends in
                let server = try Peer(in: ends.host)
                try await server.must("s listen 127.0.0.1 \(Self.exit)")
                try await ends.peer.must("A connect 127.0.0.1 \(Self.entrance)")
                try await ends.peer.must("A send x")
                try await server.must("s accept B")
                let before = try ends.near.residentBytes() + ends.far.residentBytes()
                let filled = try await ends.peer.must("A fill")
                #expect(try ends.near.residentBytes() + ends.far.residentBytes() - before < 8 << 20)
                try await ends.peer.must("A close")
                let whole = try await server.must("B to-end")
                #expect(whole.hasPrefix("\((Int(filled) ?? 0) + 1) "), "\(whole), \(filled)")
                try await server.must("B close")
                #expect(try await ends.near.connections()[0].result == "closed")
            }
        }

        @Test func manyConnectionsOverAnEcho() async throws {
            try await withEnds(upstream: "echo://") { ends in
                let output = try ends.host.run(
                    [
                        "python3", "-c",
                        """
                        import os, socket, threading
                        bad = []
                        def one(n):
                            s = socket.create_connection(("127.0.0.1", \(Self.entrance)), timeout=20)
                            data = os.urandom(1000 * n)
                            threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR))).start()
                            got = b""
                            while part := s.recv(65536): got += part
                            if got != data: bad.append((n, len(got), len(data)))
                        threads = [threading.Thread(target=one, args=(n,)) for n in range(1, 101)]
                        for t in threads: t.start()
                        for t in threads: t.join()
                        print(bad)
                        """,
                    ], timeout: .seconds(60))
                #expect(output.standardOutput == "[]\n")
                for record in try await ends.far.connections(100) { #expect(record.result == "closed", "\(record)") }
            }
        }

        @Test func underABandwidthLimit() async throws {
            let limit = "rate-limit = { bandwidth = \"80Mbit\" }\n"
            try await withEnds(nearKeys: limit, farKeys: limit, upstream: "echo://") { ends in
                try await ends.peer.must("A connect 127.0.0.1 \(Self.entrance)")
                let sent = try await ends.peer.must("A send-bytes 1000000")
                #expect(try await ends.peer.must("A read-bytes 1000000") == sent)
                try await ends.peer.must("A shutdown")
                #expect(try await ends.peer.must("A end") == "end")
            }
        }

        @Test func whatIsSaidBeforeDataGoesThroughItToo() async throws {
            // PROXY headers go before TLS: the far end believes this one, and hands it on.
            try await withEnds(
                nearKeys: "send-proxy = \"v2\"\n", farKeys: "accept-proxy = true\nsend-proxy = \"v1\"\n"
            ) { ends in
                let server = try Peer(in: ends.host)
                try await server.must("s listen 127.0.0.1 \(Self.exit)")
                try await ends.peer.must("A connect 127.0.0.1 \(Self.entrance)")
                try await ends.peer.must("A send hello")
                try await server.must("s accept B")
                let header = try await server.must("B read 22")
                #expect(header == "PROXY TCP4 127.0.0.1 1", "\(header)")
            }
        }

        @Test func aChosenDestinationOverConvert() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let certificates = try Certificates(in: host)
                try certificates.make("far")
                try certificates.make("near")
                let key = try certificates.directoryFile("keys", String(repeating: "0f", count: 32))
                let far = try await BraidProcess.start(
                    """
                    [[relay]]
                    listen = "convert://*:7143"
                    upstream = "direct+tcp://"
                    key-file = "\(key)"
                    destinations = { allow = ["127.0.0.1:9000"] }
                    tls.listen = { certificate = "\(certificates.path("far.pem"))", key = "\(certificates.path("far.key"))", client-ca = "\(certificates.path("ca.pem"))" }

                    """, in: host)
                _ = try await BraidProcess.start(
                    """
                    [[relay]]
                    listen = "http://127.0.0.1:3128"
                    upstream = "convert://127.0.0.1:7143"
                    destinations = { allow = ["127.0.0.1:9000"] }
                    key-file = "\(key)"
                    tls.listen = { certificate = "\(certificates.path("far.pem"))", key = "\(certificates.path("far.key"))" }
                    tls.upstream = { ca = "\(certificates.path("ca.pem"))", certificate = "\(certificates.path("near.pem"))", key = "\(certificates.path("near.key"))" }

                    """, in: host)
                let server = try Peer(in: host)
                try await server.must("s listen 127.0.0.1 9000")
                let accepted = try server.begin("s accept B")
                let client = try host.spawn([
                    try Application.curl.path, "--silent", "--show-error", "--max-time", "20", "--proxytunnel",
                    "--proxy", "https://127.0.0.1:3128", "--proxy-cacert", certificates.path("ca.pem"),
                    "--http0.9", "http://127.0.0.1:9000/",
                ])
                #expect(try await accepted.answer() == "ok")
                #expect(try await server.must("B read 14") == "GET / HTTP/1.1")
                try await server.must("B send through")
                try await server.must("B close")
                let output = try await client.finish(timeout: .seconds(20))
                #expect(output.standardOutput == "through", "\(output)")
                let record = try await far.connections()[0]
                #expect(record["destination"] == "127.0.0.1:9000")
            }
        }

        // MARK: Whom it refuses

        /// A client at the entrance is reset, be it before its connect has returned.
        private func expectReset(_ peer: Peer, location: SourceLocation = #_sourceLocation) async throws {
            var answer = try await peer.ask("A connect 127.0.0.1 \(Self.entrance)")
            if answer == "ok" { answer = try await peer.ask("A end") }
            #expect(answer == "ECONNRESET", sourceLocation: location)
        }

        @Test(arguments: [
            (
                "wrong authority", "ca = \"$other-ca.pem\", certificate = \"$near.pem\", key = \"$near.key\"", "far",
                "certificate refused"
            ),
            (
                "wrong name",
                "ca = \"$ca.pem\", server-name = \"near.example\", certificate = \"$near.pem\", key = \"$near.key\"",
                "far",
                "mismatch"
            ),
            ("expired", "ca = \"$ca.pem\", certificate = \"$near.pem\", key = \"$near.key\"", "expired", "expired"),
            (
                "the system's authorities",
                "server-name = \"far.example\", certificate = \"$near.pem\", key = \"$near.key\"", "far",
                "certificate refused"
            ),
        ])
        func anUpstream(what: String, near: String, certificate: String, reason: String) async throws {
            try await withEnds(
                near: near,
                far: "certificate = \"$\(certificate).pem\", key = \"$\(certificate).key\", client-ca = \"$ca.pem\"",
                upstream: "echo://", certificates: { try $0.make("expired", years: ("20", "21")) }
            ) { ends in
                try await expectReset(ends.peer)
                let record = try await ends.near.connections()[0]
                #expect(record.result == "connect-failed", "\(record)")
                #expect(record["reason"]?.contains(reason) == true, "\(record)")
                let there = try await ends.far.connections()[0]
                #expect(there.result == "handshake-failed", "\(there)")
                #expect(there.number("bytes_up") == 0)
            }
        }

        @Test(arguments: [
            ("no certificate", "ca = \"$ca.pem\""),
            ("another authority's", "ca = \"$ca.pem\", certificate = \"$stranger.pem\", key = \"$stranger.key\""),
            ("an expired one", "ca = \"$ca.pem\", certificate = \"$expired.pem\", key = \"$expired.key\""),
        ])
        func aClient(with what: String, near: String) async throws {
            try await withEnds(
                near: near,
                certificates: {
                    try $0.make("stranger", by: "other-ca")
                    try $0.make("expired", years: ("20", "21"))
                }
            ) { ends in
                let server = try Peer(in: ends.host)
                try await server.must("s listen 127.0.0.1 \(Self.exit)")
                let connected = try await ends.peer.ask("A connect 127.0.0.1 \(Self.entrance)")
                // TLS 1.3 tells a client after its own part of the handshake is over that it was refused.
                if connected == "ok" {
                    try await ends.peer.ask("A send hello")
                    #expect(try await ends.peer.ask("A end") == "ECONNRESET")
                } else {
                    #expect(connected == "ECONNRESET")
                }
                let there = try await ends.far.connections()[0]
                #expect(there.result == "handshake-failed", "\(there)")
                #expect(there["reason"]?.hasPrefix("TLS: ") == true, "\(there)")
                // Nobody was dialled.
                #expect(there.number("bytes_up") == 0)
                #expect(there.number("connect_usec") == 0, "\(there)")
            }
        }

        @Test(arguments: [
            ("-tls1_2", "unsupported protocol"), ("-tls1_3 -alpn h2", "no application protocol"),
            ("-tls1_3 -ciphersuites TLS_AES_128_CCM_SHA256", "no shared cipher"),
        ])
        func aStrangersTLS(options: String, reason: String) async throws {
            try await withEnds { ends in
                let output = try ends.host.run(
                    ["sh", "-c", "openssl s_client -connect 127.0.0.1:7143 \(options) </dev/null 2>&1"], expecting: nil,
                    timeout: .seconds(20))
                #expect(output.status != .exited(0))
                #expect(output.standardOutput.contains("alert"), "\(output.standardOutput)")
                let there = try await ends.far.connections()[0]
                #expect(there.result == "handshake-failed", "\(there)")
                #expect(there["reason"]?.contains(reason) == true, "\(there)")
            }
        }

        @Test(arguments: ["GET / HTTP/1.0\\r\\n\\r\\n", "\\x16\\x03\\x01\\xff\\xff", "\\x00", "braid"])
        func garbage(bytes: String) async throws {
            try await withEnds(farKeys: "handshake-timeout = \"500ms\"\n") { ends in
                let output = try ends.host.run(
                    [
                        "python3", "-c",
                        """
                        import socket
                        s = socket.create_connection(("127.0.0.1", 7143), timeout=20)
                        s.sendall(b"\(bytes)")
                        try:
                            while s.recv(4096): pass
                            print("end")
                        except ConnectionResetError: print("reset")
                        """,
                    ], timeout: .seconds(30))
                #expect(["end\n", "reset\n"].contains(output.standardOutput))
                let there = try await ends.far.connections()[0]
                #expect(["handshake-failed", "handshake-timeout"].contains(there.result), "\(there)")
            }
        }

        @Test func aCutConnectionIsNoEnd() async throws {
            try await withEnds(far: "certificate = \"$far.pem\", key = \"$far.key\"") { ends in
                let server = try Peer(in: ends.host)
                try await server.must("s listen 127.0.0.1 \(Self.exit)")
                let client = try ends.host.spawn(
                    ["openssl", "s_client", "-quiet", "-connect", "127.0.0.1:7143"], input: true)
                try client.write("hello")
                try await server.must("s accept B")
                #expect(try await server.must("B read 5") == "hello")
                // Killed, it cannot say close_notify: its FIN alone is what an attacker could send as well.
                client.terminate()
                #expect(try await server.ask("B end") == "ECONNRESET")
                let there = try await ends.far.connections()[0]
                #expect(there.result == "client-reset", "\(there)")
            }
        }

        // MARK: Pre-shared keys

        private static let psk = String(repeating: "4b", count: 32)

        private func withKeys(
            near: String, far: String, _ body: (Ends) async throws -> Void
        ) async throws {
            try await withEnds(
                near: "psk-file = \"$near.psk\"", far: "psk-file = \"$far.psk\"", upstream: "echo://",
                certificates: {
                    _ = try $0.directoryFile("near.psk", near)
                    _ = try $0.directoryFile("far.psk", far)
                }, body)
        }

        @Test func keysInsteadOfCertificates() async throws {
            let old = "old:\(String(repeating: "17", count: 16))\n"
            try await withKeys(
                near: "branch:\(Self.psk)\n", far: "# two, while keys change\n\(old)branch:\(Self.psk)\n"
            ) { ends in
                for name in ["A", "B"] {
                    try await ends.peer.must("\(name) connect 127.0.0.1 \(Self.entrance)")
                    try await ends.peer.must("\(name) send hello")
                    #expect(try await ends.peer.must("\(name) read 5") == "hello")
                    try await ends.peer.must("\(name) close")
                }
                for record in try await ends.far.connections(2) { #expect(record.result == "closed", "\(record)") }
            }
        }

        @Test(arguments: ["branch:\(String(repeating: "4c", count: 32))", "stranger:\(TLSTests.psk)"])
        func aWrongKeyIsRefused(near: String) async throws {
            try await withKeys(near: near, far: "branch:\(Self.psk)") { ends in
                try await expectReset(ends.peer)
                let there = try await ends.far.connections()[0]
                #expect(there.result == "handshake-failed", "\(there)")
                #expect(!ends.far.process.lines.contains { $0.contains("4b4b4b") || $0.contains("4c4c4c") })
            }
        }

        @Test func whoHasOnlyACertificateIsRefusedWhereKeysAreWanted() async throws {
            try await withEnds(
                far: "psk-file = \"$far.psk\"", upstream: "echo://",
                certificates: { _ = try $0.directoryFile("far.psk", "branch:\(Self.psk)") }
            ) { ends in
                try await expectReset(ends.peer)
                #expect(try await ends.far.connections()[0].result == "handshake-failed")
            }
        }

        // MARK: Files

        @Test func aNewCertificateIsTakenWithoutClosingAnything() async throws {
            try await withEnds(far: "certificate = \"$far.pem\", key = \"$far.key\"", upstream: "echo://") { ends in
                try await ends.peer.must("A connect 127.0.0.1 \(Self.entrance)")
                try await ends.peer.must("A send before")
                #expect(try await ends.peer.must("A read 6") == "before")
                let serial =
                    "openssl s_client -connect 127.0.0.1:7143 </dev/null 2>/dev/null | openssl x509 -noout -serial"
                let old = try ends.host.run(["sh", "-c", serial], timeout: .seconds(20)).standardOutput
                try ends.certificates.make("far")
                try ends.far.signal(SIGHUP)
                try await ends.far.record("configuration-reloaded")
                let new = try ends.host.run(["sh", "-c", serial], timeout: .seconds(20)).standardOutput
                #expect(old.hasPrefix("serial=") && new.hasPrefix("serial=") && old != new, "\(old), \(new)")
                try await ends.peer.must("A send after!")
                #expect(try await ends.peer.must("A read 6") == "after!")
                // A broken one changes nothing.
                _ = try ends.certificates.directoryFile("far.pem", "nonsense")
                try ends.far.signal(SIGHUP)
                let refused = try await ends.far.record("reload-failed")
                #expect(refused["problem"]?.contains("far.pem: no certificate in PEM form") == true, "\(refused)")
                let still = try ends.host.run(["sh", "-c", serial], timeout: .seconds(20)).standardOutput
                #expect(still == new)
            }
        }

        @Test(arguments: [
            ("missing", "there is no such file"), ("far.pem", "no private key"), ("near.key", "no private key"),
            ("open.key", "everyone may read it"),
        ])
        func aBadKeyIsSaidAtTheStart(key: String, message: String) async throws {
            try Lab.with { lab in
                let host = try lab.host("alone")
                let certificates = try Certificates(in: host)
                try certificates.make("far")
                try certificates.make("near")
                try host.run(["sh", "-c", "cd \(certificates.path("")) && cp far.key open.key && chmod 644 open.key"])
                let directory = try TemporaryDirectory()
                let file = try directory.write(
                    """
                    [[relay]]
                    listen = "tcp://127.0.0.1:1234"
                    upstream = "echo://"
                    [relay.tls.listen]
                    certificate = "\(certificates.path("far.pem"))"
                    key = "\(certificates.path(key))"

                    """, to: "braid.toml")
                let output = try host.run(
                    [BraidProgram.path, "run", "--config", file], expecting: nil, timeout: .seconds(20))
                #expect(output.status == .exited(71), "\(output)")
                #expect(output.standardError.contains("\(file):6:"), "\(output.standardError)")
                #expect(output.standardError.contains(message), "\(output.standardError)")
            }
        }
    }
}

extension Certificates {
    /// Writes a file among them that only its owner may read, and answers its path.
    func directoryFile(_ name: String, _ text: String) throws -> String {
        let path = path(name)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        return path
    }
}
