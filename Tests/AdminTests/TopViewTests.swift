import Testing

@testable import Admin
@testable import AdminClient

/// What `braid top` shows of two looks.
@Suite struct TopViewTests {
    private static func status(_ bytes: UInt64) -> StatusView {
        var wifi = LinkView()
        wifi.name = "wifi"
        wifi.state = "up"
        wifi.bytesReceived = bytes * 4
        wifi.rttUs = 20_000
        wifi.subflows = 2
        wifi.loss = 0.01
        var lte = LinkView()
        lte.name = "lte"
        lte.state = "no-carrier"
        lte.backup = true
        lte.bytesSent = bytes
        lte.rttUs = 40_000
        var relay = RelayView()
        relay.name = "near"
        relay.open = 2
        relay.accepted = 7
        relay.failed = 1
        relay.upstreams = [UpstreamView(address: "mptcp://far:1", healthy: false, connections: 2)]
        relay.bytesDown = bytes * 4
        var status = StatusView()
        status.version = "1.2"
        status.ready = true
        status.connections = 2
        status.uptimeSeconds = 61
        status.relays = [relay]
        status.links = [wifi, lte]
        return status
    }

    private static var busiest: BusiestView {
        var connection = ViewTests.connection
        connection.multipath = "yes"
        connection.subflows[0].link = "wifi"
        connection.subflows[1].link = "lte"
        var first = BusyConnectionView(connection)
        first.rateDown = 5_000_000
        var other = ViewTests.connection
        other.id = 513
        var busiest = BusiestView()
        busiest.total = 2
        busiest.multipath = 1
        busiest.fallback = 1
        var reason = ReasonView()
        reason.reason = "the peer does not speak MPTCP"
        busiest.reasons = [reason]
        busiest.connections = [first, BusyConnectionView(other)]
        return busiest
    }

    private static func view(
        before: StatusView?, seconds: Double = 2, colour: Bool = false, isUnicode: Bool = false
    ) -> TopView {
        TopView(
            status: status(1_000_000), busiest: busiest, before: before, seconds: seconds, colour: colour,
            bar: Bar(width: 8, isUnicode: isUnicode))
    }

    private static func line(_ lines: [String], _ name: String) throws -> String {
        try #require(lines.first { $0.drop { $0 == " " }.hasPrefix(name + " ") }, "\(lines)")
    }

    @Test func ratesAreOfTheTimeBetween() throws {
        let lines = Self.view(before: Self.status(0)).lines(rows: 40)
        #expect(lines[0] == "Braid 1.2  up 1 min 1 s  2 connections  ready")
        #expect(lines[1] == "multipath: 1 of 2 connections, 1 fell back because the peer does not speak MPTCP")
        // 4 MB in 2 s, and a quarter of that; the longer round trip has the full bar.
        let wifi = try Self.line(lines, "wifi")
        #expect(wifi.contains("########") && wifi.contains("16.0 Mbit/s") && wifi.contains("####....  20.0 ms"))
        #expect(wifi.contains("1.0 %"))
        let lte = try Self.line(lines, "lte")
        #expect(lte.contains("no-carrier  backup   ##......  4.00 Mbit/s"), "\(lte)")
        #expect(lte.contains("########  40.0 ms"), "\(lte)")
        let relay = try Self.line(lines, "near")
        #expect(relay.contains("16.0 Mbit/s") && relay.hasSuffix("mptcp://far:1 (down)"), "\(relay)")
        let busy = try Self.line(lines, "257")
        #expect(busy.contains("40.0 Mbit/s") && busy.contains("wifi+lte"), "\(busy)")
        #expect(try Self.line(lines, "513").contains("fell back"))
        let places = try ["257", "513"].map { name in try #require(lines.firstIndex(of: Self.line(lines, name))) }
        #expect(places[0] < places[1], "in the order of the answer")
    }

    @Test func withoutALookBeforeNothingIsKnownOfRates() throws {
        for view in [
            Self.view(before: nil), Self.view(before: Self.status(2_000_000)),
            Self.view(before: Self.status(0), seconds: 0),
        ] {
            let wifi = try Self.line(view.lines(rows: 40), "wifi")
            #expect(wifi.contains("........") && wifi.contains("0 bit/s"), "\(wifi)")
        }
    }

    @Test(arguments: [1, 5, 12, 20, 40])
    func theScreenIsFilledAndNotMore(rows: Int) throws {
        let view = Self.view(before: Self.status(0), colour: true, isUnicode: true)
        let lines = view.lines(rows: rows)
        if rows >= 20 { #expect(lines.count == rows && lines.last?.contains("q quits") == true) }
        let screen = TopScreen(columns: 30, rows: rows)
        let frame = screen.frame(lines)
        #expect(frame.split(separator: "\r\n", omittingEmptySubsequences: false).count <= rows)
        for line in lines {
            // Without its colours no line is wider than the screen.
            let shown = screen.cut(line).replacing(/\u{1b}\[[0-9]+m/, with: "")
            #expect(shown.count <= 30, "\(shown)")
        }
    }

    @Test func barsHaveEighths() {
        let bar = Bar(width: 4, isUnicode: true)
        #expect(bar.text(0) == "    ")
        #expect(bar.text(1) == "████")
        #expect(bar.text(0.5) == "██  ")
        #expect(bar.text(0.001) == "▏   ", "something is seen of what is not nothing")
        #expect(bar.text(.nan) == "    " && bar.text(7) == "████")
        #expect(Bar(width: 4, isUnicode: false).text(0.5) == "##..")
    }
}
