import CLinux
import LinuxSystem
import SystemPackage
import Testing

@Suite(.serialized) struct DescriptorTests {
    /// Asked of a pipe's other end, because a number that was closed may be another test's by now.
    @Test func itClosesItselfUnlessReleased() throws {
        let pipe = try Pipe(capacity: 4096)
        let reader = try pipe.readEnd.duplicate()
        let kept = try pipe.writeEnd.duplicate().release()
        _ = consume pipe
        var byte: UInt8 = 0
        #expect(
            linux_read(reader.raw, &byte, 1) == -Int64(Errno.wouldBlock.rawValue), "a writer is left: the released one")
        linux_close(kept)
        #expect(linux_read(reader.raw, &byte, 1) == 0, "no writer is left: the pipe closed its own end")
    }

    @Test func anEventCounterWakesAPollerOnceUntilCleared() throws {
        let counter = try EventCounter()
        var poller = try Poller(capacity: 4)
        try poller.add(counter.descriptor.raw, .readable, EventToken(slot: 9, tag: 77))
        #expect(try poller.wait(milliseconds: 0) == 0)
        counter.raise()
        counter.raise()
        #expect(try poller.wait(milliseconds: 1_000) == 1)
        #expect(poller.event(0).token == EventToken(slot: 9, tag: 77))
        #expect(poller.event(0).readiness.contains(.readable))
        counter.clear()
        #expect(try poller.wait(milliseconds: 0) == 0)
    }

    @Test func aTimerFiresWhenItsTimeHasCome() throws {
        let timer = try TimerDescriptor()
        var poller = try Poller(capacity: 4)
        try poller.add(timer.descriptor.raw, .readable, EventToken(slot: 0, tag: 0))
        let due = MonotonicTime.now() + 20_000_000
        try timer.arm(at: due)
        #expect(try poller.wait(milliseconds: 5_000) == 1)
        #expect(MonotonicTime.now() >= due)
        timer.clear()
        #expect(try poller.wait(milliseconds: 0) == 0)
    }

    @Test func aPipeHasTheSizeThatItSays() throws {
        let pipe = try Pipe(capacity: 1 << 20)
        #expect(pipe.capacity >= 4096)
        #expect(pipe.capacity == Int(linux_pipe_size(pipe.readEnd.raw)))
    }

    @Test func aThreadRunsItsBodyAndIsJoined() throws {
        let counter = try EventCounter()
        let copy = try counter.descriptor.duplicate().release()
        let thread = try Thread(name: "a-name-that-is-longer-than-fifteen") {
            linux_eventfd_raise(copy)
            linux_close(copy)
        }
        thread.join()
        var poller = try Poller(capacity: 1)
        try poller.add(counter.descriptor.raw, .readable, EventToken(slot: 0, tag: 0))
        #expect(try poller.wait(milliseconds: 0) == 1)
    }

    @Test func durationsBecomeNanosecondsWithoutOverflow() {
        #expect(Duration.milliseconds(250).wholeNanoseconds == 250_000_000)
        #expect(Duration.seconds(-1).wholeNanoseconds == 0)
        #expect(Duration.seconds(Int64.max).wholeNanoseconds == .max)
        #expect(MonotonicTime.never + 5 == .never)
        #expect(MonotonicTime(nanoseconds: 5).since(MonotonicTime(nanoseconds: 9)) == 0)
    }
}
