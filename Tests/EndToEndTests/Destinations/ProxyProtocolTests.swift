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
              http-request return status 200 content-type text/plain lf-string "%[src] %[dst] %[dst_port]"
            frontend first
              bind 127.0.0.1:9001
              default_backend first
            frontend second
              bind 127.0.0.1:9002
              default_backend second
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
                    daemon off; pid \(directory.file("pid")); error_log stderr;
                    events {}
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
                // … and from HAProxy, through Braid, back to it.
                for port in [9001, 9002] {
                    let answer = try host.curl("--interface", "127.0.0.9", "http://127.0.0.1:\(port)/")
                    #expect(answer == "127.0.0.9 127.0.0.1 \(port) 200", "\(port): \(answer)")
                }
                let records = try await braid.connections(2, relay: "accepting")
                #expect(records.allSatisfy { $0["client"]?.hasPrefix("127.0.0.9:") == true }, "\(records)")
                #expect(try !host.curl("http://127.0.0.1:8080/").contains("200"))
                let refused = try await braid.connections(3, relay: "accepting")[2]
                #expect(refused.result == "handshake-failed" && refused["reason"] == "no PROXY header", "\(refused)")
            }
        }

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
