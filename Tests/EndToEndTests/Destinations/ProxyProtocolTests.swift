import Lab
import Testing

extension EndToEndSuite {
    /// PROXY v1 and v2, against HAProxy and nginx as they are: real client addresses reach the application.
    @Suite(.serialized) struct ProxyProtocolTests {
        private static let haproxy = """
            defaults
              mode tcp
              timeout connect 5s
              timeout client 5s
              timeout server 5s
            frontend accept
              mode http
              bind 127.0.0.1:9000 accept-proxy
              bind [::1]:9000 accept-proxy
              http-request return status 200 content-type text/plain lf-string "%[src] %[dst] %[dst_port]"
            frontend first
              bind 127.0.0.1:9001
              default_backend first
            frontend second
              bind 127.0.0.1:9002
              default_backend second
            frontend ids
              mode http
              bind 127.0.0.1:9004 accept-proxy
              http-request return status 200 content-type text/plain lf-string "%[fc_pp_unique_id]"
            frontend third
              bind 127.0.0.1:9007
              unique-id-format from-haproxy
              default_backend third
            backend third
              server braid 127.0.0.1:8150 send-proxy-v2 proxy-v2-options crc32c,unique-id
            backend first
              server braid 127.0.0.1:8080 send-proxy
            backend second
              server braid 127.0.0.1:8080 send-proxy-v2 proxy-v2-options crc32c,authority

            """

        @Test func bothVersionsBothWays() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let directory = try TemporaryDirectory()
                let file = try directory.write(Self.haproxy, to: "haproxy.cfg")
                let haproxy = try host.spawn([try Application.haproxy.path, "-db", "-f", file])
                try await host.waitForListener(port: 9002, of: haproxy)
                let nginx = try directory.write(
                    """
                    load_module \(try Application.nginxStreamModule.path);
                    daemon off; pid \(directory.file("pid")); error_log stderr;
                    events {}
                    stream {
                        server { listen 127.0.0.1:9005; proxy_pass 127.0.0.1:8080; proxy_protocol on; }
                        server { listen [::1]:9005; proxy_pass 127.0.0.1:8080; proxy_protocol on; }
                    }
                    http {
                        access_log off; client_body_temp_path \(directory.file("b")); proxy_temp_path \(directory.file("p"));
                        fastcgi_temp_path \(directory.file("f")); uwsgi_temp_path \(directory.file("u"));
                        scgi_temp_path \(directory.file("s"));
                        server {
                            listen 127.0.0.1:9003 proxy_protocol; set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol;
                            location / { return 200 "$remote_addr $proxy_protocol_server_addr $proxy_protocol_server_port"; }
                        }
                    }

                    """, to: "nginx.conf")
                let web = try host.spawn([try Application.nginx.path, "-c", nginx])
                try await host.waitForListener(port: 9003, of: web)
                try host.run("ip", "address", "add", "fd00::9/128", "dev", "lo", "nodad")
                var config = """
                    [[relay]]
                    name = "accepting"
                    listen = "tcp://127.0.0.1:8080"
                    upstream = "tcp://127.0.0.1:9000"
                    accept-proxy = true
                    send-proxy = "v2"

                    """
                for (index, version) in ["v1", "v2", "v2+multipath"].enumerated() {
                    for (peer, port) in [(0, 9000), (3, 9003)] {
                        config += """
                            [[relay]]
                            listen = "tcp://127.0.0.1:\(8100 + index * 10 + peer)"
                            upstream = "tcp://127.0.0.1:\(port)"
                            send-proxy = "\(version)"

                            """
                    }
                }
                let braid = try await BraidProcess.start(config, in: host)
                // To HAProxy and nginx …
                for port in [8100, 8110, 8120, 8103, 8113, 8123] {
                    let answer = try host.curl("--interface", "127.0.0.9", "http://127.0.0.1:\(port)/")
                    #expect(answer == "127.0.0.9 127.0.0.1 \(port) 200", "\(port): \(answer)")
                }
                // … and from HAProxy and nginx, through Braid, back to HAProxy.
                for port in [9001, 9002, 9005] {
                    let answer = try host.curl("--interface", "127.0.0.9", "http://127.0.0.1:\(port)/")
                    #expect(answer == "127.0.0.9 127.0.0.1 \(port) 200", "\(port): \(answer)")
                }
                let records = try await braid.connections(3, relay: "accepting")
                #expect(records.allSatisfy { $0["client"]?.hasPrefix("127.0.0.9:") == true }, "\(records)")
                // IPv6 clients over an IPv4 connection.
                let six = try host.curl("--interface", "fd00::9", "http://[::1]:9005/")
                #expect(six == "fd00::9 ::1 9005 200", "\(six)")
                let record = try await braid.connections(4, relay: "accepting")[3]
                #expect(record["client"]?.hasPrefix("[fd00::9]:") == true, "\(record)")
                #expect(try !host.curl("http://127.0.0.1:8080/").contains("200"))
                let refused = try await braid.connections(5, relay: "accepting")[4]
                #expect(refused.result == "handshake-failed" && refused["reason"] == "no PROXY header", "\(refused)")
            }
        }

        /// IPv6 and IPv4 clients of one listener, to HAProxy over IPv6: neither is told in the other's form.
        @Test func bothFamiliesAreToldAsTheyAre() async throws {
            try await withHAProxy { host in
                try host.run("ip", "address", "add", "fd00::9/128", "dev", "lo", "nodad")
                var config = ""
                for (index, version) in ["v1", "v2", "v2+multipath"].enumerated() {
                    config += """
                        [[relay]]
                        listen = "tcp://*:\(8160 + index)"
                        upstream = "tcp://[::1]:9000"
                        send-proxy = "\(version)"

                        """
                }
                _ = try await BraidProcess.start(config, in: host)
                for port in 8160...8162 {
                    let four = try host.curl("--interface", "127.0.0.9", "http://127.0.0.1:\(port)/")
                    #expect(four == "127.0.0.9 127.0.0.1 \(port) 200", "\(port): \(four)")
                    let six = try host.curl("--interface", "fd00::9", "http://[::1]:\(port)/")
                    #expect(six == "fd00::9 ::1 \(port) 200", "\(port): \(six)")
                }
            }
        }

        /// HAProxy reads the id that Braid gives a connection, and the one that it gave itself.
        @Test func haproxyReadsTheUniqueID() async throws {
            try await withHAProxy { host in
                _ = try await BraidProcess.start(
                    """
                    [[relay]]
                    listen = "tcp://127.0.0.1:8150"
                    upstream = "tcp://127.0.0.1:9004"
                    accept-proxy = true
                    send-proxy = "v2"
                    [[relay]]
                    listen = "tcp://127.0.0.1:8151"
                    upstream = "tcp://127.0.0.1:9004"
                    send-proxy = "v2"
                    """, in: host)
                let ids = try (0..<5).map { _ in try host.curl("http://127.0.0.1:8151/") }
                #expect(Set(ids).count == 5, "\(ids)")
                #expect(ids.allSatisfy { $0.wholeMatch(of: /[0-9a-f]{12}-[0-9]+ 200/) != nil }, "\(ids)")
                #expect(try host.curl("http://127.0.0.1:9007/") == "from-haproxy 200")
            }
        }

        private func withHAProxy(_ body: (Host) async throws -> Void) async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let directory = try TemporaryDirectory()
                let file = try directory.write(Self.haproxy, to: "haproxy.cfg")
                let haproxy = try host.spawn([try Application.haproxy.path, "-db", "-f", file])
                try await host.waitForListener(port: 9002, of: haproxy)
                try await body(host)
                withExtendedLifetime(directory) {}
            }
        }

        /// The header as it is on the wire, read by the specification's tables alone: checksum, addresses, and how many
        /// subflows a real client has.
        @Test(arguments: [true, false]) func whatAServerIsToldOfSubflows(isMultipath: Bool) async throws {
            try await Lab.with { lab in
                let near = try lab.host("near")
                let far = try lab.host("far")
                let links = try ["lte", "wifi"].map { try lab.link(near, far, name: $0) }
                try near.multipath(over: links)
                try far.mptcp()
                let server = try far.spawn(["python3", "-uc", Self.rawServer])
                try await far.waitForListener(port: 9000, of: server)
                _ = try await BraidProcess.start(
                    """
                    [[relay]]
                    listen = "mptcp://*:7143"
                    upstream = "tcp://127.0.0.1:9000"
                    accept-proxy = true
                    trusted-proxies = ["10.0.0.0/8"]
                    send-proxy = "v2+multipath"
                    """, in: far)
                let client = try near.spawn(
                    ["python3", "-uc", Self.rawClient, links[0].address(of: far), isMultipath ? "262" : "0"],
                    input: true)
                try await client.line(containing: "begun")
                if isMultipath {
                    // Half of the header has gone over, and the second subflow joins.
                    try await eventually("two subflows") {
                        try far.run("ss", "-tnH", "state", "established", "sport", "7143")
                            .standardOutput.split(separator: "\n").count == 2
                    }
                }
                try client.write("go\n")
                try await client.line(containing: "heard answer")
                try await server.line(containing: "addresses 198.51.100.7:1000 198.51.100.8:2000")
                try await server.line(containing: "checksum right, 1 of them")
                try await server.line(containing: "multipath \(isMultipath ? "010102" : "010000")")
                try await server.line(containing: "id of 14 bytes or more")
                try await server.line(containing: "data hello")
            }
        }

        private static let rawClient = """
            import socket, sys
            s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, int(sys.argv[2]))
            s.settimeout(10)
            s.connect((sys.argv[1], 7143))
            s.sendall(b"PROXY TCP4 198.51.100.7 ")
            print("begun")
            sys.stdin.readline()
            s.sendall(b"198.51.100.8 1000 2000\\r\\nhello")
            print("heard", s.recv(100).decode())
            """
        private static let rawServer = """
            import socket, struct
            def crc32c(data):
                crc = 0xffffffff
                for byte in data:
                    crc ^= byte
                    for _ in range(8): crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
                return crc ^ 0xffffffff
            l = socket.create_server(("127.0.0.1", 9000))
            s = l.accept()[0]
            s.settimeout(10)
            data = b""
            while not data.endswith(b"hello"): data += s.recv(65536)
            assert data[:12] == b"\\r\\n\\r\\n\\0\\r\\nQUIT\\n" and data[12:14] == b"\\x21\\x11", data
            length = struct.unpack(">H", data[14:16])[0]
            header, rest = bytearray(data[:16 + length]), data[16 + length:]
            source, target, from_port, to_port = struct.unpack(">4s4sHH", header[16:28])
            print(f"addresses {socket.inet_ntoa(source)}:{from_port} {socket.inet_ntoa(target)}:{to_port}")
            at, items = 28, {}
            while at < len(header):
                kind, size = struct.unpack(">BH", header[at:at + 3])
                items.setdefault(kind, []).append((at + 3, bytes(header[at + 3:at + 3 + size])))
                at += 3 + size
            assert at == len(header), items
            place, told = items[3][0]
            header[place:place + 4] = bytes(4)
            print("checksum", "right," if struct.pack(">I", crc32c(header)) == told else "wrong,", len(items[3]), "of them")
            print("multipath", items[0xe2][0][1].hex())
            print("id of 14 bytes or more" if len(items[5][0][1]) >= 14 else items[5])
            print("data", rest.decode())
            s.sendall(b"answer")
            """

        @Test func whoIsNotTrustedIsNotHeard() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let braid = try await BraidProcess.start(
                    """
                    [[relay]]
                    listen = "tcp://*:8080"
                    upstream = "echo://"
                    accept-proxy = true
                    trusted-proxies = ["127.0.0.2"]
                    deny = ["192.0.2.0/24"]
                    handshake-timeout = "300ms"
                    """, in: host)
                let header = "PROXY TCP4 198.51.100.7 198.51.100.8 1 2\\r\\n"
                func say(_ text: String, from source: String) throws -> String {
                    try host.run(
                        ["sh", "-c", "printf '\(text)' | nc -N -s \(source) 127.0.0.1 8080"], expecting: nil
                    ).standardOutput
                }
                #expect(try say(header + "hello", from: "127.0.0.2") == "hello")
                #expect(try say(header + "hello", from: "127.0.0.3") == "")
                #expect(try say(header.replacing("198.51.100.7", with: "192.0.2.7") + "hello", from: "127.0.0.2") == "")
                // Half a header, and silence.
                let peer = try Peer(in: host)
                let slow = try host.run(
                    [
                        "python3", "-c",
                        "import socket; s = socket.create_connection(('127.0.0.1', 8080), 5, ('127.0.0.2', 0)); s.send(b'PROXY TC'); print(len(s.recv(9)))",
                    ],
                    expecting: nil)
                #expect(slow.standardError.contains("ConnectionResetError"), "\(slow)")
                peer.kill()
                let results = try await braid.connections(4).map {
                    "\($0["client"]?.split(separator: ":")[0] ?? "") \($0.result)"
                }
                #expect(results.contains("198.51.100.7 closed"), "\(results)")
                #expect(results.contains("192.0.2.7 refused"), "\(results)")
                #expect(results.filter { $0.hasSuffix("refused") }.count == 2, "\(results)")
                #expect(results.filter { $0.hasSuffix("handshake-timeout") }.count == 1, "\(results)")
            }
        }

        /// The application behind the far end learns the client's address although only the converter talks to it.
        @Test func throughConvert() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let directory = try TemporaryDirectory()
                let file = try directory.write(Self.haproxy, to: "haproxy.cfg")
                let haproxy = try host.spawn([try Application.haproxy.path, "-db", "-f", file])
                try await host.waitForListener(port: 9002, of: haproxy)
                _ = try await BraidProcess.start(
                    """
                    [[relay]]
                    listen = "socks5://127.0.0.1:1080"
                    upstream = "convert://127.0.0.1:7143"
                    destinations = { allow = ["127.0.0.1"] }
                    send-proxy = "v2+multipath"
                    [[relay]]
                    listen = "convert://127.0.0.1:7143"
                    upstream = "direct+tcp://"
                    destinations = { allow = ["127.0.0.1:9000"] }
                    """, in: host)
                let answer = try host.curl(
                    "--interface", "127.0.0.9", "--socks5-hostname", "127.0.0.1:1080", "http://127.0.0.1:9000/")
                #expect(answer == "127.0.0.9 127.0.0.1 9000 200")
            }
        }
    }
}
