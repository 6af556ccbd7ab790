import Glibc
import LinuxSystem
import SystemPackage
import Testing

@testable import ServiceManager

@Suite struct LineOutputTests {
    @Test func `each line arrives whole, long ones too`() throws {
        let reader = try LineReader()
        let output = LineOutput(descriptor: reader.writeEnd.raw)
        let long = String(repeating: "x", count: 20_000)
        output.write("one")
        output.write(long)
        output.write("zwölf")
        #expect(reader.lines() == ["one", long, "zwölf"])
        #expect(output.undelivered == 0)
    }

    @Test(.timeLimit(.minutes(1)))
    func `a reader that has stopped costs lines, not time, and gets whole lines again`() throws {
        let reader = try LineReader()
        let output = LineOutput(descriptor: reader.writeEnd.raw)
        let line = String(repeating: "x", count: 6_000)
        let start = ContinuousClock.now
        for _ in 0..<2_000 { output.write(line) }
        // One wait for the first line that found no room; had each waited, it would be over three minutes.
        #expect(ContinuousClock.now - start < .seconds(20))
        #expect(output.undelivered > 1_900)

        let before = reader.lines()
        output.write("after")
        let after = reader.lines()
        #expect(before.dropLast().allSatisfy { $0 == line })
        #expect(after == ["after"])
        #expect(UInt64(before.filter { $0 == line }.count) + output.undelivered == 2_000)
    }

    @Test func `a socket without a reader neither blocks nor kills`() throws {
        var ends: [CInt] = [-1, -1]
        try #require(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        let near = Descriptor(owning: ends[0])
        do { _ = Descriptor(owning: ends[1]) }
        let output = LineOutput(descriptor: near.raw)
        output.write("nobody reads this")
        #expect(output.undelivered == 1)
    }

    @Test func `a socket that is full costs lines, not time`() throws {
        var ends: [CInt] = [-1, -1]
        try #require(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        let near = Descriptor(owning: ends[0])
        let far = Descriptor(owning: ends[1])
        let output = LineOutput(descriptor: near.raw)
        for _ in 0..<1_000 { output.write(String(repeating: "x", count: 4_000)) }
        #expect(output.undelivered > 0)
        #expect(far.raw >= 0)
    }

    @Test func `a closed descriptor is counted, never fatal`() {
        let output = LineOutput(descriptor: 100_000)
        output.write("lost")
        #expect(output.undelivered == 1)
    }
}
