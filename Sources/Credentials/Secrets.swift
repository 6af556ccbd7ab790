internal import COpenSSL

/// What is done with secrets, by OpenSSL's libcrypto.
public enum Secrets {
    /// HMAC-SHA256, RFC 2104 and FIPS 180-4: 32 bytes.
    public static func authenticationCode(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: 32)
        let answer = unsafe code.withUnsafeMutableBytes { out in
            unsafe key.withUnsafeBytes { key in
                unsafe bytes.withUnsafeBytes { bytes in
                    unsafe braid_hmac_sha256(
                        key.baseAddress, key.count, bytes.baseAddress, bytes.count, out.baseAddress)
                }
            }
        }
        precondition(answer == 0, "libcrypto has no SHA-256")
        return code
    }

    /// Whether two secrets are the same, in a time that depends on their lengths only.
    public static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return unsafe left.withUnsafeBytes { left in
            unsafe right.withUnsafeBytes { right in
                unsafe CRYPTO_memcmp(left.baseAddress, right.baseAddress, left.count) == 0
            }
        }
    }

    /// Overwrites a secret that has been used. Other copies of the array are not reached.
    public static func wipe<Byte: BitwiseCopyable>(_ bytes: inout [Byte]) {
        unsafe bytes.withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
        bytes = []
    }

    /// Overwrites the first `count` bytes of a buffer, which keeps its length.
    public static func wipe(_ bytes: inout [UInt8], first count: Int) {
        unsafe bytes.withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, min(count, $0.count)) }
    }

    /// Random bytes that nobody can foresee.
    public static func random(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let answer = unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe RAND_bytes(buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), CInt(buffer.count))
        }
        precondition(answer == 1, "libcrypto has no random bytes")
        return bytes
    }

    /// Bytes as text, two hexadecimal digits for each.
    public static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
