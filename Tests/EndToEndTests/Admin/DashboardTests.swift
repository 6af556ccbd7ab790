import FoundationEssentials
import Lab
import Testing

extension EndToEndSuite {
    /// The dashboard in a real browser.
    @Suite(.serialized) struct DashboardTests {
        /// Where pictures go, to be looked at: `BRAID_SCREENSHOTS`, else nowhere.
        private static let pictures = ProcessInfo.processInfo.environment["BRAID_SCREENSHOTS"]

        @Test func showsWhatHappens() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                try host.run("ip", "link", "add", "wlan0", "type", "veth", "peer", "name", "router")
                try host.run("ip", "link", "set", "router", "up")
                try host.run("ip", "address", "add", "192.0.2.1/24", "dev", "wlan0")
                try host.run("ip", "link", "set", "wlan0", "up")
                try host.run("ip", "route", "add", "default", "dev", "wlan0")
                let admin = try await AdminLab(
                    AdminLab.relays + "\n[[paths.link]]\nname = \"wifi\"\ninterface = \"wlan0\"\n", in: host)
                let browser = try await Browser(in: host)
                try await browser.must("view 1280 900 light desk")
                // Through a relay, as `make run` shows it.
                try await browser.must("goto http://127.0.0.1:8081/")
                try await browser.must("until document.getElementById('live').textContent === 'live'")
                try await browser.must("until document.querySelector('#relays tbody').textContent.includes('near')")
                try await browser.must("until document.querySelector('#links tbody').textContent.includes('wifi')")

                // A connection appears within two seconds of its opening.
                let peer = try Peer(in: host)
                try await peer.must("c connect 127.0.0.1 8080")
                try await peer.must("c send-bytes 100000")
                let opened = ContinuousClock.now
                try await browser.must(
                    "until [...document.querySelectorAll('#connections tbody tr.row')].some(row => row.textContent.includes('near') && row.textContent.includes('mptcp://127.0.0.1:7143'))"
                )
                #expect(ContinuousClock.now - opened < .seconds(5), "2 s, with room for a busy machine")
                try await browser.must(
                    "until document.getElementById('banner').textContent.startsWith('multipath: 2 of 2 connections')")
                // Its subflows, by keyboard.
                try await browser.must(
                    "js [...document.querySelectorAll('#connections tr.row')].find(row => row.textContent.includes('near')).querySelector('button.more').focus()"
                )
                try await browser.must("js document.activeElement.click()")
                try await browser.must(
                    "until document.querySelector('tr.details') !== null && document.querySelector('tr.details').textContent.includes('127.0.0.1:7143')"
                )
                // Searching.
                try await browser.must(
                    "js document.getElementById('search').value = 'nosuch'; document.getElementById('search').dispatchEvent(new Event('input'))"
                )
                try await browser.must("until document.querySelectorAll('#connections tbody tr').length === 0")
                try await browser.must(
                    "js document.getElementById('search').value = ''; document.getElementById('search').dispatchEvent(new Event('input'))"
                )
                // A cut link shows, in the table, the banner and the events.
                try host.run("ip", "link", "set", "wlan0", "down")
                try await browser.must("until document.querySelector('#links tbody .bad-text') !== null")
                try await browser.must("until document.getElementById('events').textContent.includes('wifi')")
                try await browser.must("until document.getElementById('banner').textContent.includes('wifi is down')")
                try host.run("ip", "link", "set", "wlan0", "up")
                try host.run(["ip", "route", "add", "default", "dev", "wlan0"], expecting: nil)
                try await browser.must("until document.querySelector('#links tbody .good-text') !== null")
                // The chart can be read by keyboard.
                try await browser.must("until document.querySelector('#throughput path') !== null")
                try await browser.must("js document.getElementById('throughput').focus()")
                try await browser.must("key ArrowLeft")
                try await browser.must("until document.getElementById('reading').textContent.includes('bit/s')")
                #expect(try await browser.must("errors") == "")
                // No part of the page is wider than the page, on a screen or a phone, light or dark.
                for view in ["1280 900 light desk", "1280 900 dark desk", "390 844 light phone", "390 844 dark phone"] {
                    try await browser.must("view \(view)")
                    try await browser.must("until document.documentElement.scrollWidth <= innerWidth")
                    if let directory = Self.pictures {
                        let name = view.replacing(" ", with: "-")
                        try await browser.must("shot \(directory)/dashboard-\(name).png")
                    }
                }
                // The daemon ends, and the page says so.
                try await peer.must("c close")
                try admin.braid.signal(9)
                try await browser.must("until document.getElementById('live').textContent === 'not connected'")
                browser.close()
            }
        }
    }
}
