import Glibc
import SystemPackage
import Testing

@testable import ServiceManager

/// Tests that need `NOTIFY_SOCKET` have a process of their own, because the environment belongs to the whole process.
@Suite struct NotificationTests {
    @Test func `messages arrive as sd_notify(3) spells them`() async {
        await #expect(processExitsWith: .success) {
            let manager = try DatagramReceiver()
            setenv("NOTIFY_SOCKET", manager.path, 1)
            #expect(Notification.isWanted)
            #expect(try Notification.send(.ready, .status("3 relays")) == .sent)
            #expect(try manager.receive().text == "READY=1\nSTATUS=3 relays")
            try Notification.send(.stopping, .extendTimeout(.milliseconds(2500)))
            #expect(try manager.receive().text == "STOPPING=1\nEXTEND_TIMEOUT_USEC=2500000")
            try Notification.send(.watchdog, .mainProcess(42))
            #expect(try manager.receive().text == "WATCHDOG=1\nMAINPID=42")
        }
    }

    @Test func `a reload carries the monotonic clock of its sending`() async {
        await #expect(processExitsWith: .success) {
            let manager = try DatagramReceiver()
            setenv("NOTIFY_SOCKET", manager.path, 1)
            let before = MonotonicClock.microseconds
            try Notification.send(.reloading)
            let after = MonotonicClock.microseconds
            let text = try manager.receive().text
            let prefix = "RELOADING=1\nMONOTONIC_USEC="
            #expect(text.hasPrefix(prefix))
            let sent = try #require(UInt64(text.dropFirst(prefix.count)))
            #expect(before <= sent && sent <= after)
        }
    }

    @Test func `without a service manager nothing is sent, and it says so`() async {
        await #expect(processExitsWith: .success) {
            unsetenv("NOTIFY_SOCKET")
            #expect(!Notification.isWanted)
            let delivery = try Notification.send(.ready)
            #expect(delivery == .noServiceManager)
        }
    }

    @Test func `a service manager that is gone is an error with its reason`() async {
        await #expect(processExitsWith: .success) {
            setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1)
            let error = #expect(throws: NotificationError.self) { try Notification.send(.ready, .status("up")) }
            #expect(error?.errno == .noSuchFileOrDirectory)
            #expect(error?.description == "cannot notify the service manager (READY=1): No such file or directory")
        }
    }

    @Test func `a status cannot smuggle in another assignment`() {
        #expect(Notification.status("a\nREADY=1\r\u{2028}b\u{0}").assignments == "STATUS=a READY=1  b ")
        #expect(Notification.status("zwei Verbindungen, größer").assignments == "STATUS=zwei Verbindungen, größer")
    }

    @Test(arguments: [
        (Duration.zero, UInt64(0)), (.seconds(-1), 0), (.nanoseconds(1999), 1), (.seconds(90), 90_000_000),
        (.seconds(Int64.max), .max),
    ])
    func `durations become whole microseconds`(duration: Duration, microseconds: UInt64) {
        #expect(duration.wholeMicroseconds == microseconds)
    }
}
