import CFuzzer
import Glibc
import Paths

/// Reads each input as the file of the month's use. What was read is written and read back as the same, also after more was
/// used.
///
///     make fuzz FUZZERS=FuzzUsageBook
@main
struct FuzzUsageBook {
    static func main() {
        let status = unsafe fuzzer_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
            let text = unsafe String(decoding: UnsafeBufferPointer(start: data, count: size), as: UTF8.self)
            guard var book = UsageBook(text: text) else { return 0 }
            precondition(UsageBook(text: book.text) == book)
            precondition(UsageBook.Month(seconds: book.month.begin) == book.month)
            precondition(UsageBook.Month(seconds: book.month.next.begin - 1) == book.month)
            book.add(1, to: "wifi", in: book.month)
            precondition(UsageBook(text: book.text) == book)
            return 0
        }
        exit(status)
    }
}
