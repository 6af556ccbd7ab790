import LinuxSystem
import SystemPackage
import Testing

@testable import Forwarding

/// One direction, between real sockets. The test is the event loop.
@Suite struct FlowTests {
    struct Way: Sendable, CustomTestStringConvertible {
        let from: StreamProtocol
        let to: StreamProtocol
        var testDescription: String { "\(from) to \(to)" }
    }

    static let ways = [
        Way(from: .tcp, to: .mptcp), Way(from: .mptcp, to: .tcp), Way(from: .tcp, to: .tcp),
        Way(from: .mptcp, to: .mptcp),
    ]

    /// Bytes that differ everywhere, so that a lost or doubled piece shows.
    private static func pattern(_ count: Int) -> [UInt8] {
        var random = SplitMix(UInt64(count))
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            withUnsafeBytes(of: random.next()) { bytes.append(contentsOf: $0) }
        }
        return Array(bytes[..<count])
    }

    private func expectPaused(_ outcome: Flow.Outcome) {
        guard case .paused = outcome else {
            Issue.record("the flow failed: \(outcome)")
            return
        }
    }

    @Test(arguments: ways) func aShortMessageGoesThroughAtOnceAndLeavesNothingBorrowed(_ way: Way) throws {
        let source = try StreamPair.make(way.from)
        let destination = try StreamPair.make(way.to)
        var carriers = Carriers()
        var flow = Flow()
        let message = Self.pattern(700)
        #expect(try source.near.write(message) == 700)
        try StreamPair.await_(source.far.raw, .readable)
        expectPaused(
            flow.turn(
                from: Channel(source.far.raw), sourceIsMultipath: way.from == .mptcp, to: Channel(destination.near.raw),
                last: false,
                carriers: &carriers))
        try StreamPair.await_(destination.far.raw, .readable)
        #expect(try destination.far.read(1_000) == message)
        #expect(flow.moved == 700)
        #expect(flow.held == 0)
        #expect(!flow.deep)
        #expect(carriers.pipes.inUse == 0)
        #expect(flow.wantsRead)
        #expect(!flow.wantsWrite)
    }

    /// A stream to a reader that pauses: every byte arrives in order, back-pressure holds the source, and the flow goes deep.
    @Test(arguments: ways) func aStreamArrivesWholeWhateverTheReaderDoes(_ way: Way) throws {
        let source = try StreamPair.make(way.from)
        let destination = try StreamPair.make(way.to)
        var carriers = Carriers()
        var flow = Flow()
        let total = 24 << 20
        let bytes = Self.pattern(total)
        var written = 0
        var received: [UInt8] = []
        received.reserveCapacity(total)
        var wentDeep = false
        var rounds = 0
        var shut = false
        while received.count < total, rounds < 200_000 {
            rounds += 1
            while written < total {
                do {
                    written += try bytes[written..<min(total, written + 300_000)].withUnsafeBytes {
                        try source.near.send($0)
                    }
                } catch let error as Errno where error == .wouldBlock {
                    break
                }
            }
            if written == total, !shut {
                shut = true
                try source.near.shutdownWriting()
            }
            expectPaused(
                flow.turn(
                    from: Channel(source.far.raw), sourceIsMultipath: way.from == .mptcp,
                    to: Channel(destination.near.raw), last: false,
                    carriers: &carriers))
            wentDeep = wentDeep || flow.deep
            #expect(flow.held <= Tuning.pipeCapacity)
            // The reader looks only now and then, so that the destination fills up.
            if rounds % 3 == 0 || flow.ended {
                do {
                    while true {
                        let piece = try destination.far.read(500_000)
                        if piece.isEmpty { break }
                        received += piece
                    }
                } catch let error as Errno where error == .wouldBlock {
                    continue
                }
            }
        }
        #expect(received == bytes, "\(received.count) of \(total) bytes")
        #expect(flow.moved == UInt64(total))
        #expect(wentDeep)
        // The end follows the last byte.
        for _ in 0..<1_000 where !flow.shut {
            expectPaused(
                flow.turn(
                    from: Channel(source.far.raw), sourceIsMultipath: way.from == .mptcp,
                    to: Channel(destination.near.raw), last: false,
                    carriers: &carriers))
        }
        #expect(flow.ended && flow.shut)
        try StreamPair.await_(destination.far.raw, .readable)
        #expect(try destination.far.read(10).isEmpty)
        #expect(carriers.pipes.inUse == 0)
    }

    @Test func aResetIsSaidOfTheSideThatItCameFrom() throws {
        let source = try StreamPair.make(.tcp)
        let destination = try StreamPair.make(.tcp)
        var carriers = Carriers()
        var flow = Flow()
        source.near.resetOnClose()
        let raw = source.far.raw
        _ = consume source.near
        try StreamPair.await_(raw, .readable)
        let outcome = flow.turn(
            from: Channel(raw), sourceIsMultipath: false, to: Channel(destination.near.raw), last: false,
            carriers: &carriers)
        guard case .sourceFailed(let error) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(error == .connectionReset)
    }

    @Test func abandoningWithBytesHeldGivesNothingStaleToTheNextFlow() throws {
        let source = try StreamPair.make(.tcp)
        let destination = try StreamPair.make(.tcp, receiveBuffer: 4_096)
        var carriers = Carriers()
        var flow = Flow()
        let bytes = Self.pattern(1 << 20)
        var rounds = 0
        while flow.held == 0, rounds < 10_000 {
            rounds += 1
            do { _ = try source.near.write(bytes) } catch let error as Errno where error == .wouldBlock {}
            expectPaused(
                flow.turn(
                    from: Channel(source.far.raw), sourceIsMultipath: false, to: Channel(destination.near.raw),
                    last: false,
                    carriers: &carriers))
        }
        #expect(flow.held > 0)
        #expect(flow.wantsWrite)
        flow.abandon(&carriers)
        #expect(flow.held == 0)
        #expect(carriers.pipes.inUse == 0)

        let next = try StreamPair.make(.tcp)
        let sink = try StreamPair.make(.tcp)
        var second = Flow()
        let message = Self.pattern(1_000)
        _ = try next.near.write(message)
        try StreamPair.await_(next.far.raw, .readable)
        expectPaused(
            second.turn(
                from: Channel(next.far.raw), sourceIsMultipath: false, to: Channel(sink.near.raw), last: false,
                carriers: &carriers))
        try StreamPair.await_(sink.far.raw, .readable)
        #expect(try sink.far.read(2_000) == message)
    }
}

extension Channel {
    /// A socket without TLS.
    fileprivate init(_ raw: CInt) { self.init(raw: raw, tls: nil) }
}
