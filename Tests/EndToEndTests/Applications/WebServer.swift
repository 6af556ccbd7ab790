import Lab

/// An nginx of a test's own, on the far host's loopback.
enum WebServer {
    /// Starts it and waits until it listens.
    ///
    /// - Parameters:
    ///   - ends: Where.
    ///   - port: Its port.
    ///   - root: The directory that it serves.
    static func start(_ ends: TwoEnds, port: UInt16, root: String) async throws {
        let own = ends.directory
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(own.file("nginx-\($0)"));" }.joined(separator: "\n")
        let file = try own.write(
            """
            user root root;
            daemon off;
            master_process off;
            pid \(own.file("nginx.pid"));
            error_log stderr warn;
            events { worker_connections 256; }
            http {
                access_log off;
                sendfile on;
                \(temporary)
                server {
                    listen 127.0.0.1:\(port);
                    root \(root);
                }
            }

            """, to: "nginx.conf")
        let process = try ends.far.spawn([try Application.nginx.path, "-e", "stderr", "-c", file])
        try await ends.far.waitForListener(port: port, of: process)
    }
}
