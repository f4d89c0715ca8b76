import KubeModel
import Testing

@Suite("JSON values", .timeLimit(.minutes(5))) struct JSONValueTests {
    @Test("a member is read through a path, and nil where a step is missing")
    func read() {
        let value: JSONValue = ["spec": ["replicas": 3], "list": [1]]
        #expect(value[["spec", "replicas"]] == 3)
        #expect(value[["spec", "paused"]] == nil)
        #expect(value[["list", "replicas"]] == nil)
        #expect(value[["spec", "replicas", "deeper"]] == nil)
        #expect(value[[]] == value)
    }

    @Test("setting through a path builds what is missing")
    func build() {
        var value: JSONValue = .null
        value[["metadata", "labels", "app"]] = "web"
        #expect(value == ["metadata": ["labels": ["app": "web"]]])
        value[["metadata", "labels", "app", "deeper"]] = 1
        #expect(value == ["metadata": ["labels": ["app": ["deeper": 1]]]])
        value["metadata"]?["labels"] = nil
        #expect(value == ["metadata": [:]])
    }

    @Test("removing through a path that is not there changes nothing")
    func removeNothing() {
        var value: JSONValue = ["a": 1]
        value[["b", "c"]] = nil
        #expect(value == ["a": 1])
        value[["a"]] = nil
        #expect(value == [:])
    }

    @Test("objects are equal whatever the order of their members, and have equal hashes")
    func equality() {
        let left: JSONValue = ["a": 1, "b": [["c": 2, "d": 3]]]
        let right: JSONValue = ["b": [["d": 3, "c": 2]], "a": 1]
        #expect(left == right)
        #expect(left.hashValue == right.hashValue)
        #expect(left != ["a": 1])
        #expect(JSONValue.int(3) != .double(3))
    }

    @Test("a value is asked for as what it is, and is nothing else")
    func kinds() {
        #expect(JSONValue.int(3).int == 3)
        #expect(JSONValue.double(3).int == nil)
        #expect(JSONValue.string("3").int == nil)
        #expect(JSONValue.bool(true).string == nil)
        #expect(JSONValue.null.isNull)
        #expect(JSONValue(["b": "2", "a": "1"]).text == #"{"a":"1","b":"2"}"#)
    }
}
