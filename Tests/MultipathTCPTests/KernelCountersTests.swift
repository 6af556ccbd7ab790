import MultipathTCP
import SystemPackage
import TestNamespace
import Testing

@Suite("Kernel counters")
struct KernelCountersTests {
    @Test("this kernel's counters are read and grow")
    func real() throws {
        try NetworkNamespace.run {
            let before = try KernelCounters.read()
            #expect(before["MPTcpExtMPCapableSYNTX"] == 0)
            #expect(before["TcpExtTCPTimeouts"] == 0)
            #expect(before["MPTcpExtNoSuchCounter"] == nil)
            _ = try ConnectedPair()
            let after = try KernelCounters.read()
            #expect(after.growth(of: "MPTcpExtMPCapableSYNTX", since: before) == 1)
            #expect(after.growth(of: "MPTcpExtNoSuchCounter", since: before) == 0)
            #expect(before.growth(of: "MPTcpExtMPCapableSYNTX", since: after) == 0)
        }
    }

    @Test("malformed pairs are left out, and what is right is kept")
    func malformed() {
        let parse = { (text: String) in KernelCounters(parsing: Array(text.utf8)).values }
        #expect(parse("") == [:])
        #expect(parse("A: x y\nA: 1 2\n") == ["Ax": 1, "Ay": 2])
        #expect(parse("A: x y\nA: 1\nB: z\nB: 3\n") == ["Bz": 3])
        #expect(parse("A: x\nB: z\nB: 3\n") == ["Bz": 3])
        #expect(parse("A: x y\nA: -1 2\n") == ["Ay": 2])
        #expect(parse("A: x\nA: 99999999999999999999999\n") == [:])
        #expect(parse("no colon\n\n   \nA: x\nA: 1") == ["Ax": 1])
        #expect(KernelCounters(parsing: [0xFF, 0xFE, 0, 10, 58, 10]).values == [:])
    }

    @Test("truncation at every byte gives a subset of names and no crash")
    func truncated() {
        let text = Array("TcpExt: a b c\nTcpExt: 10 20 30\nMPTcpExt: d e\nMPTcpExt: 40 50\n".utf8)
        let names = Set(KernelCounters(parsing: text).values.keys)
        #expect(names.count == 5)
        for length in 0..<text.count {
            #expect(names.isSuperset(of: KernelCounters(parsing: Array(text.prefix(length))).values.keys))
        }
    }
}
