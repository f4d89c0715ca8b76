/// Where a container's files really are on level `plain`: mounts cannot be made, so paths in its arguments and environment
/// are rewritten instead.
///
/// `sh -c "cat /etc/config/app.conf"` with a volume at `/etc/config` becomes `sh -c "cat ROOT/etc/config/app.conf"`.
struct PlainPaths: Sendable, Hashable {
    /// The folder in which the container's paths are rebuilt.
    var root: String
    /// Paths that are rebuilt there, the longest first.
    private(set) var targets: [String]

    init(root: String, targets: [String] = []) {
        self.root = root
        self.targets = targets.filter { $0.hasPrefix("/") && $0.count > 1 }.sorted { $0.count > $1.count }
    }

    /// Puts `root` before every path in `text` that is a target or leads into one.
    func rewrite(_ text: String) -> String {
        guard !targets.isEmpty, text.contains("/") else { return text }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let startsPath = bytes[index] == UInt8(ascii: "/") && (index == 0 || !Self.isPathByte(bytes[index - 1]))
            if startsPath, let length = matchLength(bytes[index...]) {
                result += root.utf8
                result += bytes[index..<index + length]
                index += length
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The search path, with the rebuilt folders in the place of those in which something was mounted.
    func rewriteSearchPath(_ path: String) -> String {
        path.split(separator: ":", omittingEmptySubsequences: false).map { folder in
            let isRebuilt = !folder.isEmpty && targets.contains { $0.hasPrefix(folder + "/") || $0 == folder }
            return isRebuilt ? root + folder : String(folder)
        }.joined(separator: ":")
    }

    private func matchLength(_ bytes: ArraySlice<UInt8>) -> Int? {
        for target in targets where bytes.starts(with: target.utf8) {
            let end = bytes.startIndex + target.utf8.count
            // `/data` is not in `/database`, but in `/data/x`, `/data:` and `/data"`.
            if end == bytes.endIndex || bytes[end] == UInt8(ascii: "/") || !Self.isPathByte(bytes[end]) {
                return target.utf8.count
            }
        }
        return nil
    }

    private static func isPathByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"),
            UInt8(ascii: "/"):
            true
        default: byte >= 0x80
        }
    }
}
