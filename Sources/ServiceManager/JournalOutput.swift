internal import CLinux
internal import CSystemd
internal import Glibc
internal import Synchronization

/// Sends records to the journal by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL), and never waits for it.
///
/// libsystemd's `sd_journal_sendv` is not used because it waits without bound for a journal that has stopped reading,
/// which would stop the watchdog's pings with it, and because it reports success when there is no journal at all.
/// Here a record that cannot be handed over at once is dropped and counted.
public final class JournalOutput: Sendable {
    /// Where journald listens.
    public static let defaultPath = "/run/systemd/journal/socket"

    /// A field that is to fit is cut to this many bytes when its record is too large for one datagram.
    static let shortened = 4096

    private struct State {
        var descriptor: CInt?
        var undelivered: UInt64 = 0
    }

    private let path: String
    private let state = Mutex(State())

    /// Sends to the journal that listens at `path`. Nothing is opened before the first record.
    public init(path: String = JournalOutput.defaultPath) {
        self.path = path
    }

    deinit {
        if let descriptor = state.withLock({ $0.descriptor }) { linux_close(descriptor) }
    }

    /// How many records were lost because the journal was full or not there.
    public var undelivered: UInt64 { state.withLock { $0.undelivered } }

    /// Sends one record, or counts it as undelivered.
    ///
    /// A record too large for a datagram (about 200 kB) is sent with its fields cut short and `BRAID_TRUNCATED=yes`.
    public func send(_ fields: [JournalField]) {
        state.withLock { state in
            var answer = send(JournalField.datagram(fields), &state)
            if answer == -Int(EMSGSIZE) || answer == -Int(ENOBUFS) {
                let short = fields.map { $0.shortened(to: Self.shortened) } + [JournalField("BRAID_TRUNCATED", "yes")]
                answer = send(JournalField.datagram(short), &state)
            }
            if answer < 0 { state.undelivered += 1 }
        }
    }

    /// Answers the bytes sent or -errno; connects when need be, and once again when the journal's socket was replaced.
    private func send(_ datagram: [UInt8], _ state: inout State) -> Int {
        var fresh = false
        while true {
            if state.descriptor == nil {
                let answer = unsafe braid_connect_datagram(path)
                if answer < 0 { return Int(answer) }
                state.descriptor = answer
                fresh = true
            }
            guard let descriptor = state.descriptor else { return -Int(EBADF) }
            let answer = unsafe datagram.withUnsafeBufferPointer { buffer in
                unsafe braid_send_now(descriptor, buffer.baseAddress, buffer.count)
            }
            if answer >= 0 || answer == -EAGAIN || answer == -Int(EMSGSIZE) || answer == -Int(ENOBUFS) { return answer }
            linux_close(descriptor)
            state.descriptor = nil
            if fresh { return answer }
        }
    }
}

/// One field of a journal record.
public struct JournalField: Sendable, Equatable {
    /// Upper-case letters, digits and `_`, at most 64.
    public let name: String
    /// Any text, line breaks included.
    public let value: String

    /// The field `name` with `value`.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    func shortened(to limit: Int) -> JournalField {
        guard value.utf8.count > limit else { return self }
        return JournalField(name, String(decoding: value.utf8.prefix(limit), as: UTF8.self) + "…")
    }

    /// `NAME=value` and a line feed, or, where the value has line breaks, the name on a line of its own, the value's
    /// length in 64 little-endian bits, the value and a line feed.
    static func datagram(_ fields: [JournalField]) -> [UInt8] {
        var bytes: [UInt8] = []
        for field in fields {
            bytes.append(contentsOf: field.name.utf8)
            if field.value.utf8.contains(UInt8(ascii: "\n")) {
                bytes.append(UInt8(ascii: "\n"))
                let length = UInt64(field.value.utf8.count)
                for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: length >> shift)) }
            } else {
                bytes.append(UInt8(ascii: "="))
            }
            bytes.append(contentsOf: field.value.utf8)
            bytes.append(UInt8(ascii: "\n"))
        }
        return bytes
    }
}
