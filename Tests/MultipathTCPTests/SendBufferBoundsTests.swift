import Lab
import MultipathTCP
import Testing

@Suite struct SendBufferBoundsTests {
    @Test func theyAreThoseOfTheNamespace() throws {
        let lab = try Lab()
        defer { lab.close() }
        let host = try lab.host("host")
        try host.sysctl("net.ipv4.tcp_wmem", "4096 16384 1234567")
        let bounds = try host.inNamespace { try SendBufferBounds.read() }
        #expect(bounds.largest == 1_234_567)
        // The least that a kernel begins with, twice: it doubles what is set.
        #expect(bounds.settable >= 2 * 212_992)
    }
}
