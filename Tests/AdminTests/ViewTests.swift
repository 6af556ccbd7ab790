import FoundationEssentials
import Testing

@testable import Admin

/// What is written is what the commands read.
@Suite struct ViewTests {
    private func readBack<View: Decodable & JSONWritable>(_ view: View) throws -> View {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(View.self, from: Data(view.document))
    }

    static var link: LinkView {
        var link = LinkView()
        link.name = "wi\"fi\\\n\u{1}é"
        link.interface = "wlan0"
        link.address = "192.0.2.1"
        link.state = "up"
        link.backup = true
        link.reason = "configured"
        link.endpointId = 3
        link.rttUs = 12_345
        link.loss = 0.015
        link.bytesSent = .max
        link.bytesReceived = 2
        link.retransmits = 3
        link.subflows = 4
        return link
    }

    static var connection: ConnectionView {
        var subflow = SubflowView()
        subflow.leg = "upstream"
        subflow.local = "[2001:db8::1]:1"
        subflow.remote = "192.0.2.9:2"
        subflow.link = "wifi"
        subflow.rttUs = 5
        subflow.bytesSent = 6
        subflow.bytesReceived = 7
        subflow.retransmits = 8
        subflow.backup = true
        subflow.state = "established"
        var connection = ConnectionView()
        connection.id = 257
        connection.relay = "near"
        connection.client = "127.0.0.1:9"
        connection.upstream = "mptcp://192.0.2.9:2"
        connection.destination = "example.net:443"
        connection.state = "relaying"
        connection.ageSeconds = 1.25
        connection.bytesUp = 10
        connection.bytesDown = 11
        connection.multipath = "fallback"
        connection.reason = "why"
        connection.subflows = [subflow, SubflowView()]
        return connection
    }

    @Test func status() throws {
        var relay = RelayView()
        relay.name = "near"
        relay.listen = ["tcp://127.0.0.1:1", "unix:///x"]
        relay.upstreams = [UpstreamView(address: "echo://", healthy: false, connections: 1)]
        relay.open = 1
        relay.accepted = 2
        relay.refused = 3
        relay.failed = 4
        relay.bytesUp = 5
        relay.bytesDown = 6
        relay.multipath = 7
        relay.fallback = 8
        var status = StatusView()
        status.version = "1"
        status.pid = 2
        status.uptimeSeconds = 3.5
        status.ready = true
        status.draining = true
        status.threads = 4
        status.connections = 5
        status.relays = [relay, RelayView()]
        status.links = [Self.link, LinkView()]
        #expect(try readBack(status) == status)
    }

    @Test func paths() throws {
        var paths = PathsView()
        paths.managed = true
        paths.limits.subflows = 8
        paths.limits.announced = 1
        paths.links = [Self.link]
        paths.endpoints = [
            EndpointView(id: 1, address: "192.0.2.1", interface: nil, flags: ["subflow", "backup"]),
            EndpointView(id: 2, address: "192.0.2.2", interface: "eth0", flags: []),
        ]
        #expect(try readBack(paths) == paths)
    }

    @Test func connections() throws {
        #expect(try readBack(Self.connection) == Self.connection)
        #expect(try readBack(ConnectionView()) == ConnectionView())
        var busiest = BusiestView()
        busiest.total = 3
        busiest.matching = 2
        busiest.multipath = 1
        busiest.fallback = 1
        var row = BusyConnectionView(Self.connection)
        row.rateUp = 1.5
        row.rateDown = 2
        busiest.connections = [row]
        #expect(try readBack(busiest) == busiest)
    }

    @Test func numbers_that_json_has_not_are_null() {
        var json = JSONWriter()
        json.beginArray()
        json.value(Double.nan)
        json.value(Double.infinity)
        json.value(1.5)
        json.endArray()
        #expect(String(decoding: json.bytes, as: UTF8.self) == "[null,null,1.5]")
    }

    @Test func labels_are_escaped() {
        var metrics = MetricsView()
        var link = LinkView()
        link.name = "a\"b\\c\nd"
        metrics.status.links = [link]
        #expect(MetricsText(metrics).text.contains("braid_link_up{link=\"a\\\"b\\\\c\\nd\"} 0\n"))
    }
}
