/// Leads the links of an HTML page through a proxy, so that a browser stays on it.
///
/// Only the values of attributes that hold links are changed; everything else passes byte for byte.
enum PageLinks {
    private static let attributes: [String: Set<String>] = [
        "a": ["href"], "applet": ["codebase"], "area": ["href"], "audio": ["src"], "base": ["href"],
        "blockquote": ["cite"], "body": ["background"], "button": ["formaction"], "command": ["icon"],
        "del": ["cite"], "embed": ["src"], "form": ["action"], "frame": ["longdesc", "src"], "head": ["profile"],
        "html": ["manifest"], "iframe": ["longdesc", "src"], "img": ["longdesc", "src", "usemap"],
        "input": ["src", "usemap", "formaction"], "ins": ["cite"], "link": ["href"],
        "object": ["classid", "codebase", "data", "usemap"], "q": ["cite"], "script": ["src"], "source": ["src"],
        "video": ["poster", "src"],
    ]

    /// Larger pages pass as they are.
    static let pageBytesMax = 4 << 20

    static func rewrite(_ page: [UInt8], _ change: @escaping (String) -> String) -> [UInt8] {
        var scanner = Scanner(page: page, change: change)
        scanner.run()
        return scanner.output
    }

    private struct Scanner {
        let page: [UInt8]
        let change: (String) -> String
        var output: [UInt8] = []
        private var position = 0

        init(page: [UInt8], change: @escaping (String) -> String) {
            self.page = page
            self.change = change
        }

        private var byte: UInt8? { position < page.count ? page[position] : nil }

        mutating func run() {
            while let byte {
                if byte == UInt8(ascii: "<") { tag() } else { copy() }
            }
        }

        private mutating func copy() {
            output.append(page[position])
            position += 1
        }

        private func startsHere(_ text: String) -> Bool {
            let wanted = Array(text.utf8)
            guard position + wanted.count <= page.count else { return false }
            return wanted.indices.allSatisfy { Self.lower(page[position + $0]) == wanted[$0] }
        }

        private static func lower(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte + 32 : byte }
        private static func isSpace(_ byte: UInt8) -> Bool { [9, 10, 12, 13, 32].contains(byte) }

        private mutating func copy(through text: String) {
            while byte != nil, !startsHere(text) { copy() }
            for _ in text.utf8 where byte != nil { copy() }
        }

        private mutating func tag() {
            if startsHere("<!--") { return copy(through: "-->") }
            copy()
            let name = word { !Self.isSpace($0) && $0 != UInt8(ascii: ">") && $0 != UInt8(ascii: "/") }
            let links = PageLinks.attributes[name] ?? []
            while let byte, byte != UInt8(ascii: ">") {
                if Self.isSpace(byte) || byte == UInt8(ascii: "/") { copy() } else { attribute(links) }
            }
            // What is inside of these is not HTML.
            if name == "script" || name == "style" { copy(through: "</\(name)") }
        }

        /// Copies bytes and returns them in lower case.
        private mutating func word(_ belongs: (UInt8) -> Bool) -> String {
            var word: [UInt8] = []
            while let byte, belongs(byte) {
                word.append(Self.lower(byte))
                copy()
            }
            return String(decoding: word, as: UTF8.self)
        }

        private mutating func attribute(_ links: Set<String>) {
            let start = position
            let name = word { !Self.isSpace($0) && ![UInt8(ascii: "="), UInt8(ascii: ">")].contains($0) }
            while let byte, Self.isSpace(byte) { copy() }
            guard byte == UInt8(ascii: "=") else {
                // Something that is no attribute must not stop the scan.
                if position == start { copy() }
                return
            }
            copy()
            while let byte, Self.isSpace(byte) { copy() }
            guard let first = byte else { return }
            let isQuoted = first == UInt8(ascii: "\"") || first == UInt8(ascii: "'")
            if isQuoted { copy() }
            var value: [UInt8] = []
            while let byte, isQuoted ? byte != first : !Self.isSpace(byte) && byte != UInt8(ascii: ">") {
                value.append(byte)
                position += 1
            }
            if links.contains(name) {
                value = Array(change(String(decoding: value, as: UTF8.self)).utf8)
            }
            output += value
            if isQuoted, byte != nil { copy() }
        }
    }
}
