import TOML

/// Reads `socket`, and `socket.listen` and `socket.upstream`, which override it for one side.
enum SocketDecoder {
    enum Side: String {
        case both, listen, upstream
    }

    static func decode(
        _ reader: TableReader, locations: inout KeyLocations
    ) -> (listen: SocketSettings, upstream: SocketSettings) {
        var table = reader
        let common = decode(&table, over: SocketSettings(), side: .both)
        var sides = (listen: common, upstream: common)
        // A listener's address is in `listen`; the common key is about dialling.
        sides.listen.bindAddress = nil
        if var inner = table.table("listen", name: "'socket.listen'") {
            sides.listen = decode(&inner, over: sides.listen, side: .listen)
            inner.finish()
            locations.add(inner, prefix: "socket.listen.")
        }
        if var inner = table.table("upstream", name: "'socket.upstream'") {
            sides.upstream = decode(&inner, over: sides.upstream, side: .upstream)
            inner.finish()
            locations.add(inner, prefix: "socket.upstream.")
        }
        table.finish()
        locations.add(table, prefix: "socket.")
        return sides
    }

    private static func decode(_ table: inout TableReader, over base: SocketSettings, side: Side) -> SocketSettings {
        var socket = base
        socket.keepalive =
            table.value("keepalive") { node throws(TOMLBadValue) in
                let bounds = DurationText.Bounds(range: .seconds(1)...(.seconds(32767)), orZero: true)
                let duration = try DurationText.read(node, bounds)
                guard duration.components.attoseconds == 0 else {
                    throw TOMLBadValue("has a fraction of a second", "write whole seconds")
                }
                return duration
            } ?? socket.keepalive
        socket.userTimeout = table.duration(
            "user-timeout", in: .milliseconds(10)...(.seconds(86400)), orZero: true, default: socket.userTimeout)
        socket.congestion = table.value("congestion", congestion) ?? socket.congestion
        socket.mark = UInt32(table.integer("mark", in: 0...Int(UInt32.max), default: Int(socket.mark)))
        socket.tos = UInt8(table.integer("tos", in: 0...255, default: Int(socket.tos)))
        socket.noDelay =
            table.value("nodelay") { node throws(TOMLBadValue) in
                if case .string("auto") = node.value { return .automatic }
                guard case .boolean(let isOn) = node.value else {
                    throw TOMLBadValue("is neither \"auto\" nor a boolean", "write \"auto\", true or false")
                }
                return .fixed(isOn)
            } ?? socket.noDelay
        socket.fastOpen = table.boolean("fast-open", default: socket.fastOpen)
        socket.buffer =
            table.value("buffer") { node throws(TOMLBadValue) in
                if case .string("auto") = node.value { return .automatic }
                return .bytes(try SizeText.read(node, in: 4096...(1 << 30), orZero: false))
            } ?? socket.buffer
        let interface = table.value("bind-interface") { node throws(TOMLBadValue) -> String? in
            let text = try node.string("an interface's name in \"quotes\"")
            return text.isEmpty ? nil : try InterfaceName.parse(text)
        }
        socket.bindInterface = interface ?? socket.bindInterface
        let address = table.value("bind-address") { node throws(TOMLBadValue) in try bindAddress(node, side: side) }
        socket.bindAddress = address ?? socket.bindAddress
        return socket
    }

    /// `""`, `"auto"` or a name as /proc/sys/net/ipv4/tcp_available_congestion_control has it (TCP_CA_NAME_MAX is 16).
    private static func congestion(_ node: TOMLNode) throws(TOMLBadValue) -> SocketSettings.Congestion {
        let text = try node.string("a name such as \"bbr\"")
        if text.isEmpty { return .kernelDefault }
        if text == "auto" { return .automatic }
        let isValid =
            text.utf8.count <= 15 && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        guard isValid else {
            throw TOMLBadValue(
                "is \"\(text)\", which names no congestion control", "write one such as \"bbr\" or \"cubic\"")
        }
        return .named(text)
    }

    private static func bindAddress(_ node: TOMLNode, side: Side) throws(TOMLBadValue) -> IPAddress? {
        let text = try node.string("an address such as \"192.0.2.1\"")
        if text.isEmpty { return nil }
        guard side != .listen else {
            throw TOMLBadValue("is about dialling, not listening", "write the address in 'listen'")
        }
        guard let address = IPAddress(text), !address.isUnspecified else {
            throw TOMLBadValue(
                "is \"\(text)\", which is no address", "write one such as \"192.0.2.1\" or \"2001:db8::1\"")
        }
        return address
    }
}
