import FoundationEssentials
import Lab
import Testing

extension EndToEndSuite {
    /// git, curl, apt and a browser as they are, led through SOCKS5 and CONNECT by their own settings.
    @Suite(.serialized) struct ProxiedApplicationTests {
        private static let proxies = ["socks5h://127.0.0.1:1080", "http://127.0.0.1:3128"]

        /// A web server of a directory on port 9000, and with TLS on 9043.
        private func serve(_ directory: TemporaryDirectory, in host: Host) async throws -> String {
            let key = directory.file("key.pem")
            let certificate = directory.file("certificate.pem")
            try host.run(
                try Application.openssl.path, "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
            let server = try host.spawn(["python3", "-uc", Self.server, directory.path, certificate, key])
            for port: UInt16 in [9000, 9043] { try await host.waitForListener(port: port, of: server) }
            return certificate
        }

        private static let server = """
            import functools, http.server, ssl, sys, threading
            class Handler(http.server.SimpleHTTPRequestHandler):
                def log_message(self, *a): pass
            handler = functools.partial(Handler, directory=sys.argv[1])
            plain, secure = (http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) for port in (9000, 9043))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[2], sys.argv[3])
            secure.socket = context.wrap_socket(secure.socket, server_side=True)
            threading.Thread(target=secure.serve_forever, daemon=True).start()
            plain.serve_forever()
            """

        /// How many connections to a destination have ended.
        private func expectConnections(_ braid: BraidProcess, to destination: String, atLeast count: Int) async throws {
            try await eventually("\(count) connections to \(destination)") {
                braid.records("connection-ended").count { $0["destination"] == destination } >= count
            }
        }

        @Test func gitClonesAndCurlGetsOverHTTPS() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let directory = try TemporaryDirectory()
                let script = """
                    cd \(directory.path) && export HOME=\(directory.path) GIT_CONFIG_NOSYSTEM=1 &&
                    git init -q work && cd work && echo text >file && git add file &&
                    git -c user.name=a -c user.email=a@b commit -qm one && cd .. && git clone -q --bare work served &&
                    git -C served update-server-info
                    """
                try host.run(["sh", "-c", script])
                let certificate = try await serve(directory, in: host)
                let braid = try await BraidProcess.start(ChosenDestinationTests.direct, in: host)
                for (index, proxy) in Self.proxies.enumerated() {
                    let environment = [
                        "ALL_PROXY": proxy, "HTTPS_PROXY": proxy, "HOME": directory.path, "NO_PROXY": "",
                        "GIT_SSL_CAINFO": certificate, "GIT_CONFIG_NOSYSTEM": "1",
                    ]
                    let copy = directory.file("clone\(index)")
                    try host.run(
                        ["git", "clone", "-q", "https://localhost:9043/served", copy], environment: environment)
                    #expect(try host.run("cat", "\(copy)/file").standardOutput == "text\n")
                    let got = try host.run(
                        [
                            try Application.curl.path, "--silent", "--show-error", "--fail", "--cacert", certificate,
                            "--proxy", proxy, "https://localhost:9043/work/file",
                        ])
                    #expect(got.standardOutput == "text\n", "\(proxy)")
                    try await expectConnections(braid, to: "localhost:9043", atLeast: 2 * (index + 1))
                }
                // Without TLS git asks a CONNECT proxy for GET, so only SOCKS5 carries it.
                try host.run(
                    ["git", "clone", "-q", "http://localhost:9000/served", directory.file("plain")],
                    environment: ["ALL_PROXY": Self.proxies[0], "HOME": directory.path, "NO_PROXY": ""])
                #expect(try host.run("cat", directory.file("plain/file")).standardOutput == "text\n")
                try await expectConnections(braid, to: "localhost:9000", atLeast: 1)
            }
        }

        @Test func aptUpdatesAndDownloads() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let directory = try TemporaryDirectory()
                let own = directory.path
                let script = """
                    set -e; cd \(own); mkdir -p tree/DEBIAN served root/lists/partial root/archives/partial root/parts
                    printf 'Package: braid-sample\\nVersion: 1\\nArchitecture: all\\nMaintainer: a <a@b.test>\\n' >tree/DEBIAN/control
                    printf 'Description: nothing\\n' >>tree/DEBIAN/control
                    dpkg-deb --root-owner-group --build tree served/sample.deb; cd served; dpkg-scanpackages . >Packages
                    """
                try host.run(["sh", "-c", script])
                _ = try directory.write("deb [trusted=yes] http://localhost:9000/served ./\n", to: "root/sources.list")
                _ = try directory.write("", to: "root/status")
                let settings = try directory.write(
                    """
                    Dir "\(own)/root/"; Dir::State "\(own)/root/"; Dir::State::status "\(own)/root/status";
                    Dir::Cache "\(own)/root/"; Dir::Etc::sourcelist "\(own)/root/sources.list";
                    Dir::Etc::sourceparts "\(own)/root/parts"; Dir::Etc::parts "\(own)/root/parts";
                    Dir::Etc::preferencesparts "\(own)/root/parts"; Dir::Etc::main "-";
                    APT::Sandbox::User "root"; Acquire::Languages "none"; Acquire::Retries "0";
                    Acquire::http::Proxy "\(Self.proxies[0])";

                    """, to: "apt.conf")
                _ = try await serve(directory, in: host)
                let braid = try await BraidProcess.start(ChosenDestinationTests.direct, in: host)
                for words in [["update"], ["download", "braid-sample"]] {
                    let output = try host.run(
                        ["sh", "-c", "cd \(own)/root && exec apt-get -q \(words.joined(separator: " "))"],
                        environment: ["APT_CONFIG": settings])
                    #expect(!output.standardError.contains("E: "), "\(output)")
                }
                try host.run("cmp", "\(own)/served/sample.deb", "\(own)/root/braid-sample_1_all.deb")
                try await expectConnections(braid, to: "localhost:9000", atLeast: 2)
            }
        }

        /// The browser knows nothing of the name: Braid alone can look it up.
        @Test func aPageInABrowser() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                try host.run("ip", "address", "add", "10.0.0.77/32", "dev", "lo")
                try await WhoAmIServer.start(in: host, address: "10.0.0.77")
                let names = try await NameService(in: host, ["--host-record=page.test,10.0.0.77"])
                let braid = try await BraidProcess.start(
                    """
                    [[relay]]
                    listen = "socks5://127.0.0.1:1080"
                    upstream = "direct+tcp://"
                    destinations = { allow = ["*.test:9000"] }
                    """, in: host, prefix: names.prefix)
                let browser = try await Browser(
                    in: host, options: ["--proxy-server=socks5://127.0.0.1:1080", "--proxy-bypass-list=<-loopback>"])
                #expect(try await browser.must("goto http://page.test:9000/") == "")
                try await browser.must("until document.body.textContent.trim() === '10.0.0.77'")
                browser.close()
                try await expectConnections(braid, to: "page.test:9000", atLeast: 1)
            }
        }
    }
}
