import FoundationEssentials
import Lab
import Testing

extension EndToEndSuite {
    /// The dashboard in a real browser.
    @Suite(.serialized) struct DashboardTests {
        /// Where pictures go, to be looked at: `BRAID_SCREENSHOTS`, else nowhere.
        private static let pictures: String? = {
            guard let path = ProcessInfo.processInfo.environment["BRAID_SCREENSHOTS"], !path.isEmpty else { return nil }
            try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            return path
        }()

        /// A connection of a relay in the table.
        private static func row(_ relay: String) -> String {
            "[...document.querySelectorAll('#connections tr.row')].find(row => row.cells[2].textContent === '\(relay)')"
        }

        private static func text(_ id: String) -> String { "document.getElementById('\(id)').textContent" }

        /// Texts whose contrast with what is behind them is below 4.5, and how much it is.
        private static let faintTexts = """
            (() => {
              const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
              const light = (colour) => colour.slice(0, 3).map((part) => part / 255)
                .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
                .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
              const behind = (element) => {
                for (; element; element = element.parentElement) {
                  const colour = parse(getComputedStyle(element).backgroundColor);
                  if (colour.length < 4 || colour[3] === 1) return colour;
                }
                return [255, 255, 255];
              };
              const found = new Set(), walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
              while (walker.nextNode()) {
                const element = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
                if (!text || element.closest('noscript, script') || element.getClientRects().length === 0) continue;
                const style = getComputedStyle(element), colour = element.closest('svg') ? style.fill : style.color;
                const [low, high] = [light(parse(colour)), light(behind(element))].sort((a, b) => a - b);
                const contrast = (high + 0.05) / (low + 0.05);
                if (contrast < 4.5) found.add(text.slice(0, 30) + ' ' + contrast.toFixed(2));
              }
              return [...found];
            })()
            """.split(separator: "\n").joined(separator: " ")

        /// Opens the dashboard and waits until it shows the daemon.
        private func open(_ url: String, in host: Host) async throws -> Browser {
            let browser = try await Browser(in: host)
            try await browser.must("view 1280 900 light desk")
            try await browser.must("goto \(url)")
            try await browser.must("until document.readyState === 'complete' && \(Self.text("live")) === 'live'")
            try await browser.must("until document.querySelector('#relays tbody tr') !== null")
            return browser
        }

        /// No part is wider than the page; with a picture of each view.
        private func lookAt(_ browser: Browser, _ name: String) async throws {
            for view in [
                "1280 900 light desk", "1280 900 dark desk", "820 1180 light desk", "390 844 light phone",
                "390 844 dark phone",
            ] {
                try await browser.must("view \(view)")
                try await browser.must("until document.documentElement.scrollWidth <= innerWidth")
                let faint = try await browser.must("js \(Self.faintTexts)")
                #expect(faint == "[]", "\(view): text that stands out too little (WCAG 2 wants 4.5)")
                if let directory = Self.pictures {
                    try await browser.must("shot \(directory)/\(name)-\(view.replacing(" ", with: "-")).png")
                }
            }
            try await browser.must("view 1280 900 light desk")
        }

        /// Moves the mouse onto a chart, at a share of its width.
        private func hover(_ browser: Browser, _ chart: String, at share: Double) async throws {
            let place = try JSON.parse(
                try await browser.must(
                    "js (box => [box.left + 74 + (box.width - 78) * \(share), box.top + box.height / 2])(document.getElementById('\(chart)').getBoundingClientRect())"
                ))
            try await browser.must("move \(place[0]?.number ?? 0) \(place[1]?.number ?? 0)")
        }

        @Test func whatHappensOnThisHost() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let admin = try await AdminLab(in: host)
                // Through a relay.
                let browser = try await open("http://127.0.0.1:8081/", in: host)

                // A connection appears within two seconds of its opening; one of three may be late on a busy machine.
                let peer = try Peer(in: host)
                var appeared: [Duration] = []
                for number in 1...3 {
                    let began = ContinuousClock.now
                    try await peer.must("c\(number) connect 127.0.0.1 8080")
                    try await browser.must(
                        "until [...document.querySelectorAll('#connections tr.row')].filter(row => row.cells[2].textContent === 'near').length === \(number)"
                    )
                    appeared.append(ContinuousClock.now - began)
                    try await peer.must("c\(number) send-bytes \(100_000 * number)")
                    try await peer.must("c\(number) read-bytes \(100_000 * number)")
                }
                print("dashboard: a connection appeared after \(appeared)")
                #expect(appeared.count { $0 < .seconds(2) } >= 2, "\(appeared)")
                try await browser.must("until \(Self.text("banner")) === 'multipath: 6 of 6 connections'")

                // With the keyboard alone: the subflows of a connection …
                try await browser.must("tab #connections button.more")
                try await browser.must("key Enter")
                try await browser.must(
                    "until document.querySelector('tr.details')?.textContent.includes('127.0.0.1:7143')")
                // … which stay, and so does the focus, while the list is made anew …
                let shown = try await browser.must("js \(Self.text("daemon"))")
                try await browser.must("until \(Self.text("daemon")) !== \(shown)")
                #expect(
                    try await browser.must("js document.activeElement.matches('button.more[aria-expanded=true]')")
                        == "true")
                try await browser.must("key Space")
                try await browser.must("until document.querySelector('tr.details') === null")
                // … the order …
                try await browser.must("goto http://127.0.0.1:8081/")
                try await browser.must("until document.querySelectorAll('#connections tr.row').length > 1")
                try await browser.must("tab button[data-sort=id]")
                try await browser.must("key Enter")
                let numbers =
                    "[...document.querySelectorAll('#connections tr.row')].map(row => Number(row.cells[1].textContent))"
                try await browser.must(
                    "until \(numbers).length > 1 && \(numbers).every((id, at, all) => at === 0 || all[at - 1] < id)")
                #expect(
                    try await browser.must(
                        "js document.querySelector('th[aria-sort]').textContent + document.querySelector('th[aria-sort]').ariaSort"
                    )
                        == "\"IDascending\"")
                try await browser.must("key Tab")
                #expect(try await browser.must("js document.activeElement.dataset.sort") == "\"rate\"")
                try await browser.must("key Tab")
                try await browser.must("key Enter")
                try await browser.must("until document.querySelector('th[aria-sort]').textContent === 'Bytes'")
                let amounts =
                    "state.busiest.connections.map(row => row.connection.bytes_up + row.connection.bytes_down)"
                try await browser.must(
                    "until \(amounts)[0] === 600000 && \(amounts).every((amount, at, all) => at === 0 || all[at - 1] >= amount)"
                )
                #expect(
                    try await browser.must("js document.querySelector('#connections tr.row').cells[8].textContent")
                        == "\"600 kB\"")
                // … a search …
                try await browser.must("tab #search")
                try await browser.must("type nosuch")
                try await browser.must("until document.querySelectorAll('#connections tbody tr').length === 0")
                #expect(
                    try await browser.must(
                        "js document.querySelector('#connections').closest('.card').querySelector('.empty').textContent"
                    ) == "\"No connection matches.\"")
                for _ in 0..<6 { try await browser.must("key Backspace") }
                try await browser.must("until document.querySelectorAll('#connections tbody tr').length > 0")
                // … and the charts.
                try await browser.must("until document.querySelector('#throughput path') !== null")
                try await browser.must("tab #throughput")
                try await browser.must("key ArrowLeft")
                try await browser.must("until \(Self.text("reading")).includes('bit/s')")
                #expect(try await browser.must("js document.getElementById('tip').hidden") == "false")
                try await browser.must("key Escape")
                try await browser.must("until document.getElementById('tip').hidden")

                // Whoever listens to the page hears what each control is.
                let names = try JSON.parse(try await browser.must("unnamed"))
                #expect(names["unnamed"]?.list == [], "\(names)")
                #expect((names["named"]?.number ?? 0) > 10, "\(names)")
                #expect(try await browser.must("errors") == "")
                // The daemon ends, and the page says so.
                try admin.braid.signal(9)
                try await browser.must("until \(Self.text("live")) === 'not connected'")
                try await browser.must("until \(Self.text("banner")) === 'The daemon does not answer.'")
                browser.close()
            }
        }

        @Test func linksThatCarryAndOneThatIsCut() async throws {
            try await Lab.with { lab in
                let profile = LinkProfile(rate: .mbit(20), delay: .milliseconds(10))
                let paths = try PathsLab.make(in: lab, wifi: profile, lte: profile)
                let gateway = paths.wifi.address(of: paths.far)
                // One that speaks no MPTCP, and another that is not there.
                let farBraid = try await paths.startFar(
                    relay: "[[relay]]\nname = \"plain\"\nlisten = \"tcp://*:7145\"\nupstream = \"echo://\"")
                let nearBraid = try await paths.startNear(
                    relay: """
                        [[relay]]
                        name = "plain"
                        listen = "tcp://127.0.0.1:8082"
                        upstream = ["mptcp://\(gateway):7145", "mptcp://\(gateway):7999"]
                        health-check = { interval = "1s" }
                        [admin]
                        http = "127.0.0.1:9180"
                        """)
                let server = try Traffic(in: paths.far)
                try await server.serve("127.0.0.1", port: 9000)
                let client = try Traffic(in: paths.near)
                try await client.down("127.0.0.1", port: 8080)
                let browser = try await open("http://127.0.0.1:9180/", in: paths.near)

                // What carries what.
                let carriers = "\(Self.row("near"))?.querySelector('.carriers')"
                try await browser.must(
                    "until /wifi \\d+ %, lte \\d+ %|lte \\d+ %, wifi \\d+ %/.test(\(carriers)?.textContent)")
                #expect(
                    try await browser.must("js \(carriers).querySelector('.carry').getAttribute('aria-label')")
                        .contains("lte"))
                try await browser.must("until \(Self.row("near"))?.textContent.includes('yes, 2 subflows')")
                // Throughput stacked, in colours that the legend explains; one line a link for the round trips.
                for chart in ["throughput", "rtt"] {
                    try await browser.must("until document.querySelectorAll('#\(chart) path').length === 2")
                    #expect(
                        try await browser.must(
                            "js [...document.querySelectorAll('#\(chart)-legend li')].map(each => each.textContent)")
                            == #"["wifi", "lte"]"#)
                }
                try await browser.must(
                    "until (state.samples.at(-1)?.links ?? []).filter(link => link.back > 0).length === 2")
                let top =
                    "path => Math.min(...path.getAttribute('d').match(/,[\\d.]+/g).map(each => Number(each.slice(1))))"
                try await browser.must(
                    "until (peaks => peaks.length === 2 && peaks[1] < peaks[0] - 20)([...document.querySelectorAll('#throughput path')].map(\(top)))"
                )
                // The mouse reads a moment.
                try await hover(browser, "throughput", at: 0.999)
                try await browser.must(
                    "until !document.getElementById('tip').hidden && /wifi.*bit.s.*lte.*bit.s.*together.*Mbit.s/.test(\(Self.text("tip")))"
                )
                if let directory = Self.pictures { try await browser.must("screen \(directory)/links-hover.png") }
                try await hover(browser, "rtt", at: 0.999)
                try await browser.must(
                    "until /wifi.* ms.*lte.* ms/.test(\(Self.text("tip"))) && !\(Self.text("tip")).includes('together')"
                )
                try await browser.must("move 3 3")
                try await browser.must("until document.getElementById('tip').hidden")

                // A connection that fell back, and an upstream that is down.
                let peer = try Peer(in: paths.near)
                try await peer.must("c connect 127.0.0.1 8082")
                try await peer.must("c send hello")
                try await peer.must("c read 5")
                try await browser.must(
                    "until /multipath: 1 of 2 connections, 1 fell back because \\S+/.test(\(Self.text("banner")))")
                try await browser.must(
                    "until [...document.querySelectorAll('#relays .bad-text')].some(each => each.textContent.startsWith('mptcp://\(gateway):7999 (down)'))"
                )
                try await browser.must("until \(Self.text("events")).includes('mptcp://\(gateway):7999')")
                try await lookAt(browser, "links")

                // A cut link shows, in the table, the banner and the events.
                try paths.lte.carrier(down: true)
                try await browser.must("until document.querySelector('#links .bad-text')?.textContent === 'no carrier'")
                try await browser.must("until \(Self.text("banner")).includes('lte is down')")
                try await browser.must("until /lte.*(down|carrier)/.test(\(Self.text("events")))")
                try await browser.must("until \(Self.row("near"))?.textContent.includes('yes, 1 subflow')")
                try await lookAt(browser, "link-cut")
                try paths.lte.carrier(down: false)
                try await browser.must("until document.querySelector('#links .bad-text') === null")
                #expect(try await browser.must("errors") == "")
                browser.close()
                withExtendedLifetime((farBraid, nearBraid)) {}
            }
        }

        /// What `make run` promises: the page comes through the tunnel, and that very connection is on it.
        @Test func theTunnelShowsItself() async throws {
            let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent()
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let directory = try TemporaryDirectory()
                let braid = try host.spawn(
                    [BraidProgram.path, "run", "--config", root.appendingPathComponent("Config/loopback.toml").path],
                    environment: ["BRAID_SOCKET": directory.file("admin.sock")])
                try await host.waitForListener(port: 8080, of: braid)
                // What else README.md says to try.
                let probe = try BraidProgram.run(
                    ["probe", "127.0.0.1:8083", "--count", "1", "--require-multipath"], in: host)
                #expect(probe.status == .exited(0), "\(probe.standardOutput)\(probe.standardError)")
                let back = try host.run(
                    [try Application.netcat.path, "-N", "127.0.0.1", "8082"], input: "what I type\n")
                #expect(back.standardOutput == "what I type\n")
                let browser = try await open("http://127.0.0.1:8080/", in: host)
                for relay in ["near", "far"] {
                    try await browser.must("until \(Self.row(relay))?.textContent.includes('yes, 1 subflow')")
                }
                try await browser.must("until \(Self.text("banner")).startsWith('multipath: ')")
                // It is this one: the near end's client is the browser, and its subflow is the far end's client.
                try await browser.must("js \(Self.row("near")).querySelector('button.more').click()")
                try await browser.must(
                    "until document.querySelector('tr.details')?.textContent.includes('127.0.0.1:8081')")
                #expect(
                    try await browser.must(
                        "js document.querySelector('tr.details tbody tr').cells[1].textContent === \(Self.row("far")).cells[3].textContent || [...document.querySelectorAll('#connections tr.row')].some(row => row.cells[2].textContent === 'far' && row.cells[3].textContent === document.querySelector('tr.details tbody tr').cells[1].textContent)"
                    ) == "true")
                let ports = try host.run("ss", "-tnpH", "state", "established", "dport", "8080").standardOutput
                let client = try await browser.must("js \(Self.row("near")).cells[3].textContent").dropFirst()
                    .dropLast()
                #expect(ports.contains(client), "\(client): \(ports)")
                #expect(try await browser.must("errors") == "")
                try await lookAt(browser, "tunnel")
                browser.close()
            }
        }
    }
}
