import Foundation

/// Near and far ends with TLS 1.3 between them, on the same certificate and cipher suite.
extension Competitors {
    static func sealed(_ braid: String, _ haproxy: String?, connections: Int) -> [Competitor]? {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("braid-bench-\(getpid()).pem").path
        guard
            output(of: [
                "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days",
                "2", "-subj", "/CN=bench", "-addext", "subjectAltName=DNS:bench", "-keyout", file, "-out",
                "\(file).crt",
            ]) != nil,
            let key = try? String(contentsOfFile: file, encoding: .utf8),
            let certificate = try? String(contentsOfFile: "\(file).crt", encoding: .utf8),
            // HAProxy wants both in one file.
            (try? (certificate + key).write(toFile: "\(file).both", atomically: false, encoding: .utf8)) != nil
        else { return nil }
        let suite = "ssl-min-ver TLSv1.3 ciphersuites TLS_AES_128_GCM_SHA256"
        guard
            let ours = self.braid(
                braid, name: "braid-tls", role: .sealedBraid,
                tls: (
                    near: "tls.upstream = { ca = \"\(file).crt\", server-name = \"bench\" }",
                    far: "tls.listen = { certificate = \"\(file).crt\", key = \"\(file)\" }"
                )),
            let theirs = self.haproxy(
                haproxy, connections: connections,
                tls: (near: "ssl verify required ca-file \(file).crt \(suite)", far: "ssl crt \(file).both \(suite)"))
        else { return nil }
        return ours + theirs
    }
}
