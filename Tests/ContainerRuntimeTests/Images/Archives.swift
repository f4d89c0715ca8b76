import Foundation
import KubeModel

@testable import ContainerRuntime

/// Archives as other programs write them, made for a test.
enum Archives {
    /// A tar archive, entry after entry.
    struct Tar {
        private(set) var bytes: [UInt8] = []

        mutating func add(
            _ path: String, _ content: [UInt8] = [], kind: Character = "0", target: String = "", mode: Int = 0o644
        ) {
            var header = [UInt8](repeating: 0, count: 512)
            func put(_ text: String, _ offset: Int) {
                for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
            }
            func octal(_ value: Int, _ width: Int) -> String {
                let digits = String(value, radix: 8)
                return String(repeating: "0", count: max(0, width - digits.count)) + digits
            }
            put(String(path.utf8.prefix(100)) ?? path, 0)
            put(octal(mode, 7), 100)
            put(octal(0, 7), 108)
            put(octal(0, 7), 116)
            put(octal(content.count, 11), 124)
            put(octal(1_700_000_000, 11), 136)
            put("        ", 148)
            put(String(kind), 156)
            put(String(target.utf8.prefix(100)) ?? target, 157)
            put("ustar", 257)
            put("00", 263)
            put(octal(header.reduce(0) { $0 + Int($1) }, 6), 148)
            header[154] = 0
            bytes += header + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
        }

        mutating func add(_ path: String, text: String, mode: Int = 0o644) { add(path, Array(text.utf8), mode: mode) }

        /// A pax header for the entry that follows.
        mutating func addExtended(_ records: [String: String]) {
            var content = ""
            for (key, value) in records.sorted(by: { $0.key < $1.key }) {
                let rest = " \(key)=\(value)\n"
                var length = rest.utf8.count + 1
                while "\(length)".utf8.count + rest.utf8.count != length { length += 1 }
                content += "\(length)\(rest)"
            }
            add("PaxHeaders/x", Array(content.utf8), kind: "x")
        }

        var finished: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }
    }

    static func tar(_ fill: (inout Tar) -> Void) -> [UInt8] {
        var tar = Tar()
        fill(&tar)
        return tar.finished
    }

    /// The gzip format (RFC 1952), with everything stored as it is.
    static func gzip(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
        var rest = bytes[...]
        repeat {
            let piece = rest.prefix(65_535)
            rest = rest.dropFirst(piece.count)
            let count = UInt16(piece.count)
            output.append(rest.isEmpty ? 1 : 0)
            for number in [count, ~count] { output += [UInt8(number & 0xFF), UInt8(number >> 8)] }
            output += piece
        } while !rest.isEmpty
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        for number in [~crc, UInt32(bytes.count)] {
            output += (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) }
        }
        return output
    }

    /// The Zstandard format (RFC 8878), with everything stored as it is.
    static func zstd(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0, 0x58]
        var rest = bytes[...]
        repeat {
            let piece = rest.prefix(1 << 16)
            rest = rest.dropFirst(piece.count)
            let header = UInt32(piece.count) << 3 | (rest.isEmpty ? 1 : 0)
            output += (0..<3).map { UInt8(truncatingIfNeeded: header >> (8 * UInt32($0))) }
            output += piece
        } while !rest.isEmpty
        return output
    }

    static func config(_ settings: JSONValue, layers: [[UInt8]], machine: String = ImageConfig.machine) -> [UInt8] {
        let value: JSONValue = [
            "architecture": .string(machine), "os": "linux", "config": settings,
            "rootfs": [
                "type": "layers", "diff_ids": .array(layers.map { .string(Digest(of: $0).description) }),
            ],
        ]
        return Array(value.text.utf8)
    }

    /// What `docker save` writes.
    static func docker(
        _ names: [String], _ settings: JSONValue = [:], layers: [[UInt8]], machine: String = ImageConfig.machine
    ) -> [UInt8] {
        tar { tar in
            tar.add("config.json", config(settings, layers: layers, machine: machine))
            for (index, layer) in layers.enumerated() { tar.add("l\(index)/layer.tar", layer) }
            let manifest: JSONValue = [
                [
                    "Config": "config.json", "RepoTags": .array(names.map(JSONValue.string)),
                    "Layers": .array(layers.indices.map { .string("l\($0)/layer.tar") }),
                ]
            ]
            tar.add("manifest.json", text: manifest.text)
        }
    }

    /// An OCI image layout with an index of several machines, its layers packed.
    static func layout(
        name: String, layers: [[UInt8]], machines: [String], packing: ([UInt8]) -> [UInt8] = gzip
    ) -> [UInt8] {
        tar { tar in
            func blob(_ bytes: [UInt8]) -> JSONValue {
                let digest = Digest(of: bytes)
                tar.add("blobs/sha256/\(digest.hex)", bytes)
                return ["digest": .string(digest.description), "size": JSONValue(bytes.count)]
            }
            tar.add("oci-layout", text: #"{"imageLayoutVersion":"1.0.0"}"#)
            let packed = layers.map { blob(packing($0)) }
            var choices: [JSONValue] = []
            for machine in machines {
                let config = blob(config(["Cmd": [.string("/bin/\(machine)")]], layers: layers, machine: machine))
                let manifest: JSONValue = ["schemaVersion": 2, "config": config, "layers": .array(packed)]
                var choice = blob(Array(manifest.text.utf8))
                choice["platform"] = ["os": "linux", "architecture": .string(machine)]
                choices.append(choice)
            }
            let index: JSONValue = ["schemaVersion": 2, "manifests": .array(choices)]
            var descriptor = blob(Array(index.text.utf8))
            descriptor["annotations"] = ["org.opencontainers.image.ref.name": .string(name)]
            let top: JSONValue = ["schemaVersion": 2, "manifests": [descriptor]]
            tar.add("index.json", text: top.text)
        }
    }
}

/// A store in a folder of its own, which goes with the test.
final class StoreBed {
    let folder: String
    let store: ImageStore

    init() throws {
        folder = NSTemporaryDirectory() + "image-test-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder + "/disk", withIntermediateDirectories: true)
        // Homes are often links to another disk.
        try FileManager.default.createSymbolicLink(atPath: folder + "/home", withDestinationPath: folder + "/disk")
        store = ImageStore(path: folder + "/home/images")
    }

    deinit { FileTree.remove(folder) }

    var catalog: ImageCatalog { ImageCatalog(workloads: "/bin/sh", store: store) }

    @discardableResult
    func load(_ archive: [UInt8], as name: String? = nil) throws -> [ImageStore.Loaded] {
        let path = folder + "/image.tar"
        try Data(archive).write(to: URL(fileURLWithPath: path))
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        return try store.load(file.fileDescriptor, name: "image.tar", as: name)
    }

    /// Writes a file of the folder that is built.
    func write(_ name: String, _ text: String) throws {
        let url = URL(fileURLWithPath: folder + "/context/" + name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    /// Builds `context`, and returns what was said.
    @discardableResult
    func build(_ name: String, _ change: (inout ImageBuilder.Order) -> Void = { _ in }) async throws -> Said {
        var order = ImageBuilder.Order(context: folder + "/context")
        order.names = [name]
        change(&order)
        let said = Said()
        let builder = ImageBuilder(store: store, catalog: catalog) { said.add($0) }
        _ = try await builder.build(order)
        return said
    }

    func view(_ name: String) throws -> LayerView {
        guard let reference = ImageReference(parsing: name), let image = store.find(reference) else {
            throw ImageError("no image \(name)")
        }
        return LayerView(image.config, in: store)
    }

    func text(_ path: String, in name: String) throws -> String? {
        try view(name).entry(path).flatMap { try? String(contentsOfFile: $0.location, encoding: .utf8) }
    }
}
