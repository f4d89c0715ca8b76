import KubeModel
import ObjectStore

/// Writes the rows of a `meta.k8s.io` Table.
struct TableWriter: Sendable {
    /// How much of its object a row carries (`includeObject`).
    enum Included: String, Sendable {
        case nothing = "None"
        case metadata = "Metadata"
        case object = "Object"

        /// Reads the parameter; metadata when it is left out.
        init(_ text: String?) throws(Status) {
            guard let text, !text.isEmpty else {
                self = .metadata
                return
            }
            guard let known = Included(rawValue: text) else {
                throw .badRequest(
                    "Unable to convert to Table as requested: includeObject: Invalid value: "
                        + "\(JSONValue.string(text).text): must be 'Metadata', 'Object', 'None', or empty")
            }
            self = known
        }
    }

    let kind: KindSchema
    let includes: Included
    let version: String
    let now: Timestamp

    static func definition(_ column: PrinterColumn) -> JSONValue {
        [
            "name": .string(column.name), "type": .string(column.type), "format": .string(column.format),
            "description": .string(column.description), "priority": JSONValue(column.priority),
        ]
    }

    /// A `PartialObjectMetadata` up to the value of its metadata.
    static func metadataHead(_ version: String) -> [UInt8] {
        Array(#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/\#(version)","metadata":"#.utf8)
    }

    func write(_ stored: StoredObject, into bytes: inout [UInt8]) {
        write(stored.object, into: &bytes, metadata: stored.bytes[stored.metadata], whole: stored.bytes[...])
    }

    func write(_ object: KubeObject, into bytes: inout [UInt8]) {
        write(object, into: &bytes, metadata: nil, whole: nil)
    }

    /// A row; what is encoded already is given as `metadata` and `whole`.
    private func write(
        _ object: KubeObject, into bytes: inout [UInt8], metadata: ArraySlice<UInt8>?, whole: ArraySlice<UInt8>?
    ) {
        bytes.append(contentsOf: "{\"cells\":[".utf8)
        var isFirst = true
        for cell in kind.tableCells(object, now: now) {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            cell.encode(into: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
        if let condition = completion(of: object) {
            bytes.append(contentsOf: ",\"conditions\":[".utf8)
            condition.encode(into: &bytes)
            bytes.append(UInt8(ascii: "]"))
        }
        bytes.append(contentsOf: ",\"object\":".utf8)
        switch includes {
        case .nothing: bytes.append(contentsOf: "null".utf8)
        case .object:
            if let whole { bytes.append(contentsOf: whole) } else { object.value.encode(into: &bytes) }
        case .metadata:
            bytes.append(contentsOf: Self.metadataHead(version))
            if let metadata {
                bytes.append(contentsOf: metadata)
            } else {
                (object.value["metadata"] ?? [:]).encode(into: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// Marks the rows of pods that have ended.
    private func completion(of object: KubeObject) -> JSONValue? {
        guard kind.resource == .pods, let phase = object.value[["status", "phase"]]?.string else { return nil }
        let message: String
        switch phase {
        case "Succeeded": message = "The pod has completed successfully."
        case "Failed": message = "The pod failed."
        default: return nil
        }
        return ["type": "Completed", "status": "True", "reason": .string(phase), "message": .string(message)]
    }
}
