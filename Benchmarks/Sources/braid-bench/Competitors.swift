import Foundation

/// Descriptors kept for pipes, listeners and logs.
let spare = 1000

/// All that can be compared on this machine; what is missing is said once.
enum Competitors {
    static func all(braid: String, otherBraid: String?, haproxy: String?, descriptors: Int) -> (
        found: [Competitor], missing: [String]
    ) {
        var found: [Competitor] = []
        var missing: [String] = []
        func add(_ competitors: [Competitor]?, _ what: String) {
            if let competitors { found += competitors } else { missing.append(what) }
        }
        add(
            self.braid(braid, name: "braid", role: .braid),
            "braid (\(braid): build it with `swift build -c release --static-swift-stdlib`)")
        if let otherBraid {
            add(self.braid(otherBraid, name: "other-braid", role: .other), "the other braid (\(otherBraid))")
        }
        add(
            self.haproxy(haproxy, connections: (descriptors - spare) / 2),
            "HAProxy (apt install haproxy mptcpize, or HAPROXY=a native-MPTCP binary)")
        add(
            sealed(braid, haproxy, connections: (descriptors - spare) / 2),
            "TLS between the ends (braid, HAProxy and openssl)")
        add(nginx(), "nginx stream (apt install nginx-light libnginx-mod-stream mptcpize)")
        add(socketProxy(), "systemd-socket-proxyd (apt install systemd mptcpize)")
        found.append(
            Competitor(
                name: "direct", description: "MPTCP without any proxy: the limit", role: .direct, commands: { _ in [] },
                direct: "mptcp"))
        return (found, missing)
    }

    static func braid(
        _ path: String, name: String, role: Competitor.Role, tls: (near: String, far: String)? = nil
    ) -> [Competitor]? {
        guard FileManager.default.isExecutableFile(atPath: path) else { return nil }
        let version = output(of: [path, "--version"])?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "?"
        let competitor = Competitor(name: name, description: "\(version), \(path)", role: role) { chain in
            func end(_ name: String, _ listen: String, _ upstream: String, _ keys: String?) throws -> [String] {
                let file = try chain.write(
                    "\(name).toml",
                    """
                    [daemon]
                    threads = 1
                    log-connections = false
                    log-level = "warning"
                    [admin]
                    socket = "\(chain.directory.appendingPathComponent("\(name).sock").path)"
                    [[relay]]
                    name = "\(name)"
                    listen = "\(listen)"
                    upstream = "\(upstream)"
                    \(keys ?? "")
                    """)
                return [path, "run", "--config", file]
            }
            return [
                try end("near", "tcp://127.0.0.1:\(chain.near)", "mptcp://127.0.0.1:\(chain.far)", tls?.near),
                try end("far", "mptcp://127.0.0.1:\(chain.far)", "tcp://127.0.0.1:\(chain.server)", tls?.far),
            ]
        }
        return [competitor]
    }

    static func haproxy(
        _ native: String?, connections: Int, tls: (near: String, far: String)? = nil
    ) -> [Competitor]? {
        let path = native ?? "/usr/sbin/haproxy"
        guard FileManager.default.isExecutableFile(atPath: path), native != nil || isWrapped else { return nil }
        let line = output(of: [path, "-v"])?.split(separator: "\n").first.map(String.init) ?? "HAProxy"
        let version =
            line.split(separator: " ").prefix(3).joined(separator: " ")
            + (native == nil ? ", mptcpize" : ", native MPTCP")
        func competitor(_ name: String, _ what: String, _ role: Competitor.Role, _ tuning: String, _ option: String)
            -> Competitor
        {
            Competitor(name: name, description: "\(version), \(what)", role: role) { chain in
                func end(_ name: String, _ listen: String, _ upstream: String) throws -> [String] {
                    let file = try chain.write(
                        "\(name).cfg",
                        """
                        global
                            nbthread 1
                            maxconn \(connections)
                            maxpipes \(spare / 2 - 100)
                            \(tuning)
                        defaults
                            mode tcp
                            maxconn \(connections)
                            backlog 65535
                            timeout connect 5s
                            timeout client 10m
                            timeout server 10m
                            \(option)
                        frontend f
                            bind \(listen)
                            default_backend b
                        backend b
                            server s \(upstream)

                        """)
                    return wrapped(native == nil, [path, "-db", "-f", file])
                }
                let multipath = native == nil ? "" : "mptcp4@"
                return [
                    try end("near", "127.0.0.1:\(chain.near)", "\(multipath)127.0.0.1:\(chain.far) \(tls?.near ?? "")"),
                    try end("far", "\(multipath)127.0.0.1:\(chain.far) \(tls?.far ?? "")", "127.0.0.1:\(chain.server)"),
                ]
            }
        }
        if tls != nil {
            return [
                competitor("haproxy-tls", "TLS 1.3, as shipped", .sealedPeer, "", ""),
                competitor("haproxy-tls-buf", "TLS 1.3, tune.bufsize 256k", .sealedPeer, "tune.bufsize 262144", ""),
            ]
        }
        return [
            competitor("haproxy", "as shipped", .shipped, "", ""),
            competitor(
                "haproxy-splice", "option splice-auto, tune.pipesize 1m", .tuned, "tune.pipesize 1m",
                "option splice-auto"),
            competitor("haproxy-buf", "tune.bufsize 256k", .tuned, "tune.bufsize 262144", ""),
        ]
    }

    private static func nginx() -> [Competitor]? {
        let path = "/usr/sbin/nginx"
        let module = "/usr/lib/nginx/modules/ngx_stream_module.so"
        guard FileManager.default.isExecutableFile(atPath: path), FileManager.default.fileExists(atPath: module),
            isWrapped
        else {
            return nil
        }
        let version = output(of: [path, "-v"])?.split(separator: "/").last.map {
            $0.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let competitor = Competitor(
            name: "nginx", description: "nginx \(version ?? "?") stream, mptcpize, proxy_buffer_size 256k", role: .other
        ) { chain in
            func end(_ name: String, _ listen: Int, _ upstream: Int) throws -> [String] {
                let file = try chain.write(
                    "\(name).conf",
                    """
                    load_module \(module);
                    daemon off;
                    master_process off;
                    pid \(chain.directory.path)/\(name).pid;
                    error_log stderr crit;
                    events { worker_connections 65536; }
                    stream {
                        server {
                            listen 127.0.0.1:\(listen) backlog=65535;
                            proxy_pass 127.0.0.1:\(upstream);
                            proxy_buffer_size 256k;
                            tcp_nodelay on;
                        }
                    }

                    """)
                return wrapped(true, [path, "-p", chain.directory.path, "-e", "stderr", "-c", file])
            }
            return [try end("near", chain.near, chain.far), try end("far", chain.far, chain.server)]
        }
        return [competitor]
    }

    private static func socketProxy() -> [Competitor]? {
        let path = "/lib/systemd/systemd-socket-proxyd"
        let activate = "/usr/bin/systemd-socket-activate"
        guard [path, activate].allSatisfy(FileManager.default.isExecutableFile(atPath:)), isWrapped else { return nil }
        let version = output(of: [path, "--version"])?.split(separator: "\n").first.map(String.init) ?? "systemd"
        let competitor = Competitor(
            name: "socket-proxyd", description: "systemd-socket-proxyd, \(version), mptcpize", role: .other,
            commands: { chain in
                func end(_ listen: Int, _ upstream: Int) -> [String] {
                    // It gives its child no environment but what it is told to, and so no library to preload.
                    wrapped(
                        true,
                        [
                            activate, "--setenv=LD_PRELOAD", "--listen=127.0.0.1:\(listen)", path,
                            "--connections-max=30000",
                            "127.0.0.1:\(upstream)",
                        ])
                }
                return [end(chain.near, chain.far), end(chain.far, chain.server)]
            },
            // Two pipes beside the two sockets.
            descriptors: 6)
        return [competitor]
    }

    private static let mptcpize = "/usr/bin/mptcpize"
    private static var isWrapped: Bool { FileManager.default.isExecutableFile(atPath: mptcpize) }
    private static func wrapped(_ needed: Bool, _ words: [String]) -> [String] {
        needed ? [mptcpize, "run"] + words : words
    }
}
