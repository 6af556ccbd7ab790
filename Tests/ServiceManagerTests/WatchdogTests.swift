import Glibc
import ServiceManager
import SystemPackage
import Testing

@Suite struct WatchdogTests {
    @Test func `the service manager's watchdog is found, and pinged in half its time`() async {
        await #expect(processExitsWith: .success) {
            setenv("WATCHDOG_USEC", "30000000", 1)
            setenv("WATCHDOG_PID", "\(getpid())", 1)
            let watchdog = try #require(try Watchdog.inherited())
            #expect(watchdog.timeout == .seconds(30))
            #expect(watchdog.pingInterval == .seconds(15))
        }
    }

    @Test func `no watchdog, and one for another process, are none`() async {
        await #expect(processExitsWith: .success) {
            unsetenv("WATCHDOG_USEC")
            let none = try Watchdog.inherited()
            #expect(none == nil)
            setenv("WATCHDOG_USEC", "30000000", 1)
            setenv("WATCHDOG_PID", "1", 1)
            let another = try Watchdog.inherited()
            #expect(another == nil)
        }
    }

    @Test func `a malformed watchdog is an error`() async {
        await #expect(processExitsWith: .success) {
            unsetenv("WATCHDOG_PID")
            for text in ["soon", "-1", "1.5", "0"] {
                setenv("WATCHDOG_USEC", text, 1)
                #expect(throws: WatchdogError.self, "\(text)") { try Watchdog.inherited() }
            }
        }
    }
}

@Suite struct HeartbeatsTests {
    @Test func `the first look pings`() {
        var heartbeats = Heartbeats()
        #expect(heartbeats.look(at: [0, 0]) == .ping)
    }

    @Test func `every loop has to move`() {
        var heartbeats = Heartbeats()
        _ = heartbeats.look(at: [0, 0, 0])
        #expect(heartbeats.look(at: [1, 5, 1]) == .ping)
        #expect(heartbeats.look(at: [2, 5, 1]) == .stuck([1, 2]))
        #expect(heartbeats.look(at: [3, 5, 2]) == .stuck([1]))
    }

    @Test func `a loop that was only slow is forgiven`() {
        var heartbeats = Heartbeats()
        _ = heartbeats.look(at: [7])
        #expect(heartbeats.look(at: [7]) == .stuck([0]))
        #expect(heartbeats.look(at: [9]) == .ping)
    }

    @Test func `a wrapped counter is progress`() {
        var heartbeats = Heartbeats()
        _ = heartbeats.look(at: [.max])
        #expect(heartbeats.look(at: [0]) == .ping)
    }

    @Test func `a loop that came since the last look counts as moving`() {
        var heartbeats = Heartbeats()
        _ = heartbeats.look(at: [1])
        #expect(heartbeats.look(at: [2, 0]) == .ping)
        #expect(heartbeats.look(at: [3, 0]) == .stuck([1]))
        #expect(heartbeats.look(at: []) == .ping)
    }
}
