internal import LinuxSystem
internal import NIOCore

/// The last events that are not frequent, as they are written to the stream.
struct EventLog {
    static let capacity = 200

    private var events: [ByteBuffer] = []
    private var nextID: UInt64 = 1

    /// Writes an event, and keeps it when it is of a rare kind.
    mutating func write(_ event: AdminEvent) -> ByteBuffer {
        var json = JSONWriter()
        json.beginObject()
        json.member("time", Self.now())
        json.member("message", event.message)
        for (name, value) in event.fields {
            switch value {
            case .text(let text): json.member(name, text)
            case .number(let number): json.member(name, number)
            case .seconds(let nanoseconds): json.member(name, Double(nanoseconds / 1000) / 1e6)
            case .flag(let flag): json.member(name, flag)
            }
        }
        json.endObject()
        var text = ByteBuffer(string: "id: \(nextID)\nevent: \(event.kind.rawValue)\ndata: ")
        text.writeBytes(json.bytes)
        text.writeString("\n\n")
        nextID += 1
        if !event.kind.isFrequent {
            if events.count == Self.capacity { events.removeFirst() }
            events.append(text)
        }
        return text
    }

    func last(_ count: Int) -> ArraySlice<ByteBuffer> { events.suffix(count) }

    /// Seconds since 1970.
    private static func now() -> Double { Double(wallClockNanoseconds() / 1_000_000) / 1000 }
}
