import CLab

/// Room for the packets of one `sendmmsg`, used over and over by the emulator's thread.
struct PacketBatch: ~Copyable {
    static var capacity: Int { 64 }

    private let packets = UnsafeMutablePointer<clab_packet>.allocate(capacity: PacketBatch.capacity)
    private(set) var count = 0
    private(set) var bytes = 0
    private(set) var failedBytes = 0

    deinit {
        packets.deallocate()
    }

    var hasRoom: Bool { count < PacketBatch.capacity }

    subscript(index: Int) -> clab_packet { packets[index] }

    mutating func removeAll() {
        count = 0
        bytes = 0
        failedBytes = 0
    }

    mutating func append(_ packet: UnsafeRawPointer, length: Int) {
        packets[count] = clab_packet(bytes: packet, length: length)
        count += 1
        bytes += length
    }

    /// Sends all, going on after one that fails. How many went.
    mutating func send(to port: UnsafePointer<clab_port>) -> Int {
        var next = 0
        var sent = 0
        while next < count {
            let result = Int(clab_port_send(port, packets + next, UInt32(count - next)))
            if result > 0 {
                sent += result
                next += result
            } else {
                failedBytes += packets[next].length
                next += 1
            }
        }
        return sent
    }
}
