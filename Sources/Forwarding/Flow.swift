internal import CLinux
internal import LinuxSystem
internal import SystemPackage
internal import TLS

/// One direction of a connection: reads from one socket, writes to the other, and holds what the other did not take yet.
///
/// Invariants:
/// - `held > 0` exactly when bytes wait in `carrier`, and then the destination refused more at the last try.
/// - `carrier` is `.none` whenever `held == 0` between two turns: an idle flow holds no pipe and no buffer.
/// - Nothing is read after `ended`, and `shut` follows `ended` only once `held == 0`: no byte overtakes the end.
struct Flow {
    /// Where waiting bytes are.
    enum Carrier {
        case none
        case buffer(Int32, offset: Int)
        case pipe(Int32)
    }

    /// Why a turn stopped.
    enum Outcome {
        /// The source has no more for now, the destination is full, the turn's share is used up, or the flow has ended.
        case paused
        case sourceFailed(Errno)
        case destinationFailed(Errno)
    }

    private(set) var carrier = Carrier.none
    /// Bytes read and not yet written.
    private(set) var held = 0
    /// Bytes written to the destination.
    private(set) var moved: UInt64 = 0
    /// The source has said that nothing more comes.
    private(set) var ended = false
    /// The destination was told so.
    private(set) var shut = false
    /// Splices through a pipe, since reads were full.
    private(set) var deep = false
    /// The pipe took no more although it is not full by bytes (short pieces use up its pages).
    private var stuffed = false
    private var longReads: UInt8 = 0
    private var shortReads: UInt8 = 0
    /// What may be read in one turn, under a bandwidth limit; 0 reads nothing, and below 0 nothing is read but watched for.
    var limit = Int32.max

    /// Whether the source is to be watched for reading: there is room for what comes.
    var wantsRead: Bool {
        if ended || limit == 0 { return false }
        guard held > 0 else { return true }
        guard case .pipe = carrier else { return false }
        return !stuffed && held < Tuning.pipeCapacity / 2
    }

    /// Whether the destination is to be watched for writing: bytes wait, or the end could not be said yet.
    var wantsWrite: Bool { held > 0 || ended && !shut }

    /// Moves what can be moved now, at most a turn's share.
    ///
    /// - Parameters:
    ///   - source: where to read.
    ///   - sourceIsMultipath: an MPTCP socket, which is spliced from differently.
    ///   - destination: where to write; for an echo the same socket.
    ///   - carriers: the loop's pipes and buffers.
    ///   - last: the other direction is over: the end of this one is said by closing the sockets.
    mutating func turn(
        from source: Channel, sourceIsMultipath: Bool, to destination: Channel, last: Bool, carriers: inout Carriers
    ) -> Outcome {
        let isSealed = source.isSealed || destination.isSealed
        var blocked = false
        var isDry = false
        if held > 0 {
            switch flush(to: destination, &carriers) {
            case .done: break
            case .blocked: blocked = true
            case .failed(let error): return .destinationFailed(error)
            }
        }
        var share = min(Tuning.bytesPerTurn, Int(limit))
        while wantsRead {
            if share <= 0 {
                // What TLS has read ahead, a few records, is told of by no event: it goes before the others have their turn.
                guard source.isSealed else { break }
                isDry = true
                share = Tuning.scratchSize
            }
            let filled =
                deep && !isSealed
                ? spliceOrCopy(from: source, sourceIsMultipath, to: destination, atMost: share, &carriers)
                : copy(from: source, to: destination, atMost: share, isDry: isDry, &carriers)
            switch filled {
            case .bytes(let count):
                share -= count
                // What the pipe took goes out at once, unless the destination has just refused more.
                if held > 0, !blocked {
                    switch flush(to: destination, &carriers) {
                    case .done: break
                    case .blocked: blocked = true
                    case .failed(let error): return .destinationFailed(error)
                    }
                }
            case .last(let count):
                share -= count
                return .paused
            case .empty: return .paused
            case .end: ended = true
            case .sourceFailed(let error): return .sourceFailed(error)
            case .destinationFailed(let error): return .destinationFailed(error)
            }
        }
        if ended, held == 0, !shut {
            // ENOTCONN: the destination is gone already, which its own direction will say. TLS says the end even where the socket
            // is closed next, for else it would look cut off.
            shut = last && !destination.isSealed || destination.finish() != -Errno.wouldBlock.rawValue
        }
        return .paused
    }

    /// Counts bytes that went to the destination before data flowed.
    mutating func credit(_ bytes: Int) { moved += UInt64(bytes) }

    /// The end of the flow: gives back what it borrowed. Bytes that still wait are lost.
    mutating func abandon(_ carriers: inout Carriers) {
        switch carrier {
        case .none: break
        case .buffer(let index, _): carriers.buffers.give(index)
        case .pipe(let index):
            if held > 0 { carriers.pipes.discard(index) } else { carriers.pipes.give(index) }
        }
        carrier = .none
        held = 0
    }

    // MARK: Reading

    private enum Filled {
        /// So many bytes came; there may be more.
        case bytes(Int)
        /// So many bytes came, and that emptied the source (or filled the destination).
        case last(Int)
        case empty
        case end
        case sourceFailed(Errno)
        case destinationFailed(Errno)
    }

    private mutating func spliceOrCopy(
        from source: Channel, _ sourceIsMultipath: Bool, to destination: Channel, atMost share: Int,
        _ carriers: inout Carriers
    ) -> Filled {
        var wanted = min(share, Tuning.pipeCapacity)
        if sourceIsMultipath {
            // This kernel's splice from MPTCP allocates pages for the whole request: ask for what is there.
            let waiting = Int(linux_bytes_readable(source.raw))
            if waiting < Tuning.spliceWorthwhile, held == 0 {
                countRead(short: true)
                return copy(from: source, to: destination, atMost: share, &carriers)
            }
            wanted = min(share, max(waiting, Tuning.smallBufferSize))
        }
        guard let pipe = borrowPipe(&carriers) else {
            return copy(from: source, to: destination, atMost: share, &carriers)
        }
        let ends = carriers.pipes.ends(pipe)
        do throws(Errno) {
            let count = try Splice.move(
                from: source.raw, to: ends.write, count: min(wanted, ends.capacity - held), more: false)
            if count == 0 {
                releaseIfEmpty(&carriers)
                return .end
            }
            held += count
            countRead(short: count < Tuning.scratchSize / 4)
            return .bytes(count)
        } catch {
            // With bytes in the pipe, EAGAIN may mean that the pipe has no page left: read no more until it is drained.
            if error == .wouldBlock, held > 0 { stuffed = true }
            releaseIfEmpty(&carriers)
            return error == .wouldBlock ? .empty : .sourceFailed(error)
        }
    }

    private mutating func borrowPipe(_ carriers: inout Carriers) -> Int32? {
        switch carrier {
        case .pipe(let index): return index
        case .buffer: return nil
        case .none:
            guard let index = carriers.pipes.take() else { return nil }
            carrier = .pipe(index)
            return index
        }
    }

    private mutating func copy(
        from source: Channel, to destination: Channel, atMost share: Int, isDry: Bool = false,
        _ carriers: inout Carriers
    ) -> Filled {
        let scratch = unsafe carriers.scratch
        let wanted = min(share, scratch.count)
        let count: Int
        do throws(Errno) {
            count = try check(unsafe source.receive(scratch.baseAddress, wanted, dry: isDry))
        } catch {
            return error == .wouldBlock ? .empty : .sourceFailed(error)
        }
        if count == 0 { return .end }
        let full = source.tls?.hasMore ?? (count == wanted)
        if count >= Tuning.longRead {
            countRead(short: false)
        } else if deep, source.isSealed || destination.isSealed {
            // Elsewhere the splice has counted.
            countRead(short: true)
        } else {
            longReads = 0
        }
        var sent = 0
        do throws(Errno) {
            sent = try check(unsafe destination.send(scratch.baseAddress, count))
        } catch {
            if error != .wouldBlock { return .destinationFailed(error) }
        }
        moved += UInt64(sent)
        if sent < count {
            let kept = carriers.keepScratch(from: sent, count: count - sent)
            carrier = .buffer(kept.index, offset: kept.offset)
            held = count - sent
            return .last(count)
        }
        // A short read has emptied the source: asking again would only answer that.
        return full ? .bytes(count) : .last(count)
    }

    // MARK: Writing

    private enum Flushed {
        case done
        case blocked
        case failed(Errno)
    }

    /// Writes what waits.
    private mutating func flush(to destination: Channel, _ carriers: inout Carriers) -> Flushed {
        while held > 0 {
            do throws(Errno) {
                let count: Int
                switch carrier {
                case .none: preconditionFailure("bytes are held by no carrier")
                case .pipe(let index):
                    count = try Splice.move(
                        from: carriers.pipes.ends(index).read, to: destination.raw, count: held, more: false)
                    stuffed = false
                case .buffer(let index, let offset):
                    let start = unsafe carriers.buffers[index].baseAddress.map { unsafe $0 + offset }
                    count = try check(unsafe destination.send(start, held))
                    carrier = .buffer(index, offset: offset + count)
                }
                held -= count
                moved += UInt64(count)
            } catch {
                return error == .wouldBlock ? .blocked : .failed(error)
            }
        }
        releaseIfEmpty(&carriers)
        return .done
    }

    private mutating func releaseIfEmpty(_ carriers: inout Carriers) {
        if held == 0 { abandon(&carriers) }
    }

    // MARK: Adapting

    /// Decides between shallow (copy, TCP_NODELAY: answers are short and wanted at once) and deep (splice, the kernel may
    /// fill segments: a stream is on its way) from how full the reads are.
    private mutating func countRead(short: Bool) {
        if !deep {
            longReads += 1
            if longReads >= Tuning.longReadsBeforeDeep { setDeep(true) }
        } else if short {
            shortReads += 1
            if shortReads >= Tuning.shortReadsBeforeShallow { setDeep(false) }
        } else {
            shortReads = 0
        }
    }

    private mutating func setDeep(_ value: Bool) {
        deep = value
        longReads = 0
        shortReads = 0
    }
}
