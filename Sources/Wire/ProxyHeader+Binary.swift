/// Version 2 of the PROXY protocol: binary.
extension ProxyHeader {
    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    static func parseBinary(_ bytes: Span<UInt8>) -> Parsed<ProxyHeader, ProxyHeaderFault> {
        for index in 0..<min(bytes.count, 12) where bytes[index] != signature[index] { return .malformed(.signature) }
        guard bytes.count > 12 else { return .needMore }
        guard bytes[12] >> 4 == 2, bytes[12] & 15 <= 1 else { return .malformed(.command) }
        guard bytes.count > 13 else { return .needMore }
        let family = bytes[13] >> 4
        let transport = bytes[13] & 15
        guard family <= 3, transport <= 2 else { return .malformed(.family) }
        guard bytes.count >= 16 else { return .needMore }
        let end = 16 + Int(bytes.u16(14))
        let isLocal = bytes[12] & 15 == 0
        let block = [0, 12, 36, 216][Int(family)]
        if !isLocal, end < 16 + block { return .malformed(.length) }
        guard bytes.count >= end else { return .needMore }
        if isLocal { return .complete(ProxyHeader(addresses: nil, isLocal: true), length: end) }
        var header = ProxyHeader(addresses: transport == 1 ? addresses(bytes, family) : nil)
        if let fault = header.readItems(bytes, from: 16 + block, to: end) { return .malformed(fault) }
        return .complete(header, length: end)
    }

    private static func addresses(_ bytes: Span<UInt8>, _ family: UInt8) -> Addresses? {
        switch family {
        case 1:
            Addresses(
                source: IPEndpoint(.ipv4(bytes.u32(16)), port: bytes.u16(24)),
                destination: IPEndpoint(.ipv4(bytes.u32(20)), port: bytes.u16(26)))
        case 2:
            Addresses(
                source: IPEndpoint(.ipv6(bytes.u128(16)), port: bytes.u16(48)),
                destination: IPEndpoint(.ipv6(bytes.u128(32)), port: bytes.u16(50)))
        // Paths of Unix sockets are nobody's address here.
        default: nil
        }
    }

    private mutating func readItems(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> ProxyHeaderFault? {
        var index = start
        var sawChecksum = false
        while index < end {
            guard index + 3 <= end else { return .length }
            let value = index + 3..<index + 3 + Int(bytes.u16(index + 1))
            guard value.upperBound <= end else { return .length }
            switch bytes[index] {
            case Item.checksum:
                guard value.count == 4, !sawChecksum else { return .length }
                sawChecksum = true
                let sum = CRC32C.checksum(bytes.extracting(0..<end), zeroes: value)
                guard sum == bytes.u32(value.lowerBound) else { return .checksum }
            case Item.uniqueID where value.count > 128: return .uniqueID
            default: items.append(Item(type: bytes[index], value: bytes.array(value)))
            }
            index = value.upperBound
        }
        return nil
    }

    /// Version 2, with the checksum. Addresses of different families are written as IPv6, IPv4 ones mapped. Items that no
    /// longer fit into 65,535 bytes are left out.
    public func binary() -> [UInt8] {
        var bytes = Self.signature
        bytes.append(isLocal ? 0x20 : 0x21)
        guard let addresses, !isLocal else {
            bytes.append(0)
            return Self.finish(bytes, items)
        }
        switch (addresses.source.address, addresses.destination.address) {
        case (.ipv4(let source), .ipv4(let destination)):
            bytes.append(0x11)
            bytes.appendNumber(UInt16(0))
            bytes.appendNumber(source)
            bytes.appendNumber(destination)
        case (let source, let destination):
            bytes.append(0x21)
            bytes.appendNumber(UInt16(0))
            bytes.appendNumber(source.mapped)
            bytes.appendNumber(destination.mapped)
        }
        bytes.appendNumber(addresses.source.port)
        bytes.appendNumber(addresses.destination.port)
        return Self.finish(bytes, items)
    }

    private static func finish(_ header: [UInt8], _ items: [Item]) -> [UInt8] {
        var bytes = header
        if bytes.count == 14 { bytes.appendNumber(UInt16(0)) }
        for item in items where bytes.count + 3 + item.value.count + 7 <= 16 + 65535 {
            bytes.append(item.type)
            bytes.appendNumber(UInt16(item.value.count))
            bytes += item.value
        }
        bytes.append(Item.checksum)
        bytes.appendNumber(UInt16(4))
        let place = bytes.count..<bytes.count + 4
        bytes += [0, 0, 0, 0]
        let length = UInt16(bytes.count - 16)
        bytes[14] = UInt8(length >> 8)
        bytes[15] = UInt8(truncatingIfNeeded: length)
        var sum: [UInt8] = []
        sum.appendNumber(CRC32C.checksum(bytes.span))
        bytes.replaceSubrange(place, with: sum)
        return bytes
    }
}
