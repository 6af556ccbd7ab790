import CLinux
import LinuxSystem
import Testing

@testable import Forwarding

@Suite struct PipePoolTests {
    @Test func itLendsNoMoreThanItMayAndTakesThemBack() throws {
        var pool = PipePool()
        var lent: [Int32] = []
        while let index = pool.take() {
            lent.append(index)
            #expect(lent.count <= Tuning.pipesInUse)
        }
        #expect(!lent.isEmpty)
        #expect(Set(lent).count == lent.count)
        #expect(pool.inUse == lent.count)
        for index in lent { pool.give(index) }
        #expect(pool.inUse == 0)
        let again = pool.take()
        #expect(again != nil)
    }

    @Test func aPipeThatHoldsBytesIsNotLentAgain() throws {
        var pool = PipePool()
        let lent = pool.take()
        let index = try #require(lent)
        let ends = pool.ends(index)
        let written = [UInt8](repeating: 1, count: 10).withUnsafeBytes { linux_write(ends.write, $0.baseAddress, 10) }
        #expect(written == 10)
        pool.discard(index)
        let other = pool.take()
        let next = pool.ends(try #require(other))
        #expect(linux_bytes_readable(next.read) == 0)
    }
}
