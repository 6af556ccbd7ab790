/// Packets in the order they came: one growing ring of bytes, and one of entries that say where each packet is.
///
/// Only the emulator's thread touches it.
struct PacketQueue: ~Copyable {
    struct Entry {
        /// Where the packet begins, counted from the first byte ever stored.
        var offset: Int
        var length: Int
        /// When it is to be delivered, once it was sent.
        var due: Int64
        var lost: Bool
    }

    /// More is not kept: it would be 2 s at 1 Gbit/s.
    static var mostBytes: Int { 256 * 1024 * 1024 }

    private var bytes: UnsafeMutableRawPointer
    private var byteCapacity = 256 * 1024
    /// Virtual offsets: the byte at `offset` is at `offset & (byteCapacity - 1)`, and no packet wraps around.
    private var firstByte = 0
    private var endByte = 0

    private var entries: UnsafeMutablePointer<Entry>
    private var entryCapacity = 256
    private var firstEntry = 0
    private(set) var count = 0

    init() {
        bytes = .allocate(byteCount: byteCapacity, alignment: 64)
        entries = .allocate(capacity: entryCapacity)
    }

    deinit {
        bytes.deallocate()
        entries.deallocate()
    }

    /// The entry `index` places behind the first. `index` must be below `count`.
    subscript(index: Int) -> Entry {
        get { entries[(firstEntry &+ index) & (entryCapacity &- 1)] }
        set { entries[(firstEntry &+ index) & (entryCapacity &- 1)] = newValue }
    }

    /// Where the bytes of an entry are, until the queue changes.
    func location(of entry: Entry) -> UnsafeRawPointer {
        UnsafeRawPointer(bytes + (entry.offset & (byteCapacity &- 1)))
    }

    /// Copies a packet to the end. False when there is no room for it at all.
    mutating func append(_ packet: UnsafeRawPointer, length: Int) -> Bool {
        if count == entryCapacity {
            growEntries()
        }
        var offset = place(length)
        while offset + length - firstByte > byteCapacity {
            guard byteCapacity < Self.mostBytes else { return false }
            growBytes()
            offset = place(length)
        }
        (bytes + (offset & (byteCapacity &- 1))).copyMemory(from: packet, byteCount: length)
        endByte = offset + length
        count += 1
        self[count - 1] = Entry(offset: offset, length: length, due: 0, lost: false)
        return true
    }

    /// Takes the first entry away. The queue must not be empty.
    mutating func removeFirst() {
        let entry = self[0]
        firstByte = entry.offset + entry.length
        firstEntry = (firstEntry &+ 1) & (entryCapacity &- 1)
        count -= 1
    }

    mutating func removeAll() {
        firstByte = endByte
        firstEntry = 0
        count = 0
    }

    /// Where a packet of this length would begin: at the end, or at the ring's start if it would wrap around.
    private func place(_ length: Int) -> Int {
        let position = endByte & (byteCapacity - 1)
        return position + length > byteCapacity ? endByte + byteCapacity - position : endByte
    }

    private mutating func growEntries() {
        let larger = UnsafeMutablePointer<Entry>.allocate(capacity: entryCapacity * 2)
        for index in 0..<count {
            larger[index] = self[index]
        }
        entries.deallocate()
        entries = larger
        entryCapacity *= 2
        firstEntry = 0
    }

    private mutating func growBytes() {
        let larger = UnsafeMutableRawPointer.allocate(byteCount: byteCapacity * 2, alignment: 64)
        var end = 0
        for index in 0..<count {
            let entry = self[index]
            (larger + end).copyMemory(from: location(of: entry), byteCount: entry.length)
            self[index].offset = end
            end += entry.length
        }
        bytes.deallocate()
        bytes = larger
        byteCapacity *= 2
        firstByte = 0
        endByte = end
    }
}
