import Lab

/// An HTTP server that answers who it thinks the client is, and closes.
enum WhoAmIServer {
    /// Starts it and waits until it listens.
    @discardableResult
    static func start(in host: Host, address: String = "::", port: UInt16 = 9000) async throws -> HostProcess {
        let process = try host.spawn(["python3", "-uc", program, address, "\(port)"])
        try await host.waitForListener(port: port, of: process)
        return process
    }

    private static let program = """
        import http.server, socket, sys
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = (self.client_address[0].replace("::ffff:", "") + "\\n").encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def log_message(self, *a): pass
        class Server(http.server.ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
        Server((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
        """
}

extension Host {
    /// What curl gets, or how it fails: `200 BODY`, or `000 MESSAGE`.
    func curl(_ arguments: String...) throws -> String {
        let output = try run(
            [try Application.curl.path, "--silent", "--show-error", "--max-time", "10", "--write-out", " %{http_code}"]
                + arguments, expecting: nil)
        let words = (output.standardOutput + output.standardError).split(whereSeparator: \.isWhitespace)
        return words.joined(separator: " ")
    }
}
