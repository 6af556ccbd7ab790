import FoundationEssentials
import Lab

/// Certificates for tests, made by the openssl program: two authorities, and what they vouch for.
final class Certificates: Sendable {
    private let host: Host
    private let directory: TemporaryDirectory

    /// Makes both authorities, `ca` and `other-ca`.
    init(in host: Host) throws {
        self.host = host
        directory = try TemporaryDirectory()
        for name in ["ca", "other-ca"] {
            try openssl(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=\(name) "
                    + "-keyout \(name).key -out \(name).pem")
            _ = try directory.write("", to: "\(name).index")
            _ = try directory.write("1000\n", to: "\(name).serial")
            _ = try directory.write(
                """
                [ca]
                default_ca = own
                [own]
                database = \(path("\(name).index"))
                serial = \(path("\(name).serial"))
                new_certs_dir = \(directory.path)
                certificate = \(path("\(name).pem"))
                private_key = \(path("\(name).key"))
                default_md = sha256
                policy = anything
                unique_subject = no
                [anything]
                commonName = supplied

                """, to: "\(name).cnf")
        }
    }

    /// The path of a file among them.
    func path(_ name: String) -> String { directory.file(name) }

    /// Makes `NAME.pem` and `NAME.key`.
    ///
    /// - Parameters:
    ///   - name: The files, and the common name.
    ///   - names: Whom it is for: `DNS:far.example,IP:127.0.0.1`.
    ///   - authority: Who vouches for it.
    ///   - years: When it is good, as two-digit years: `("20", "21")` has expired.
    func make(
        _ name: String, for names: String = "DNS:far.example,IP:127.0.0.1", by authority: String = "ca",
        years: (String, String) = ("20", "40")
    ) throws {
        try openssl(
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=\(name) -keyout \(name).key -out \(name).csr"
        )
        _ = try directory.write("subjectAltName=\(names)\n", to: "\(name).ext")
        try openssl(
            "ca -batch -notext -config \(authority).cnf -in \(name).csr -out \(name).pem -extfile \(name).ext "
                + "-startdate \(years.0)0101000000Z -enddate \(years.1)0101000000Z")
    }

    private func openssl(_ arguments: String) throws {
        try host.run(["sh", "-c", "umask 077; cd \(directory.path); exec openssl \(arguments)"], timeout: .seconds(30))
    }
}
