internal import NIOCore

/// One list of all connections while it comes in, and for a moment after: everybody who asks meanwhile reads the same, so
/// that many or slow readers cost neither the event loops nor memory more than one.
///
/// Belongs to the server's loop.
final class ConnectionListing {
    /// The document in order: `[`, rows, `]`.
    private(set) var chunks: [ByteBuffer] = []
    /// All is there.
    private(set) var isComplete = false
    /// It will never be complete.
    private(set) var isFailed = false
    let began: NIODeadline
    /// Gives it up when it does not come.
    var timeout: Scheduled<Void>?
    private var isEmpty = true
    private var readers: [ObjectIdentifier: () -> Void] = [:]

    init(began: NIODeadline) {
        self.began = began
    }

    var hasReaders: Bool { !readers.isEmpty }

    /// Calls `advance` whenever there is more, until the reader leaves.
    func enter(_ reader: AnyObject, _ advance: @escaping () -> Void) {
        readers[ObjectIdentifier(reader)] = advance
    }

    func leave(_ reader: AnyObject) {
        readers[ObjectIdentifier(reader)] = nil
    }

    /// Appends a slice.
    func append(_ rows: [ConnectionView], isLast: Bool) {
        guard !isComplete, !isFailed else { return }
        var json = JSONWriter(reserving: rows.count * 640 + 2)
        json.raw(isEmpty && chunks.isEmpty ? "[" : "")
        for row in rows {
            if !isEmpty { json.raw(",\n") }
            isEmpty = false
            json.start()
            json.value(row)
        }
        if isLast { json.raw("]\n") }
        if !json.bytes.isEmpty { chunks.append(ByteBuffer(bytes: json.bytes)) }
        isComplete = isLast
        if isLast {
            timeout?.cancel()
            timeout = nil
        }
        notify()
    }

    func fail() {
        guard !isComplete else { return }
        isFailed = true
        notify()
    }

    private func notify() {
        for advance in readers.values { advance() }
    }
}
