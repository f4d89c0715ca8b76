import Testing

@testable import APIServer

@Suite("What passes a proxy") struct ProxyRulesTests {
    @Test(
        "names may hold a scheme and a port",
        arguments: [
            ("web", "web", "", false), ("web:80", "web", "80", false), ("web:http", "web", "http", false),
            ("https:web:443", "web", "443", true), (":web:80", "web", "80", false), ("http:web:", "web", "", false),
        ])
    func names(text: String, name: String, port: String, isTLS: Bool) throws {
        let read = try #require(ProxyName(text))
        #expect(read.name == name)
        #expect(read.port == port)
        #expect(read.isTLS == isTLS)
    }

    @Test("names that are none", arguments: ["", ":80", "ftp:web:80", "a:b:c:d"])
    func badNames(text: String) { #expect(ProxyName(text) == nil) }

    private static let web = "/api/v1/namespaces/default/pods/web:80/proxy"

    @Test(
        "what follows the proxy is the program's path",
        arguments: [
            ("", ""), ("/", "/"), ("/a/b", "/a/b"), ("/a/b/", "/a/b/"), ("//a", "/a"), ("/a%2Fb/c", "/a%2Fb/c"),
            ("/../../secret", "/secret"), ("/a/./b/../c", "/a/c"),
        ])
    func paths(rest: String, wanted: String) {
        let path = ProxyPath(Self.web + rest, depth: 7)
        #expect(path.prefix == Self.web)
        #expect(path.rest == wanted)
    }

    private static let path = ProxyPath(web + "/page", depth: 7)

    @Test("headers of one hop, credentials and masks stay behind")
    func requestHeaders() {
        let headers = ProxyHeaders.request(
            [
                ("Host", "localhost:8001"), ("Authorization", "Bearer secret"), ("Connection", "keep-alive, X-Own"),
                ("X-Own", "1"), ("Transfer-Encoding", "chunked"), ("Accept", "*/*"), ("Impersonate-User", "eve"),
                ("X-Forwarded-For", "10.0.0.1"),
            ], path: Self.path, bodyCount: 3, upgrade: nil)
        let texts = headers.map { "\($0.name): \($0.value)" }
        #expect(
            texts == [
                "Host: localhost:8001", "Accept: */*", "X-Forwarded-For: 10.0.0.1, 127.0.0.1",
                "X-Forwarded-Uri: \(Self.web)/page", "Connection: close", "Content-Length: 3",
            ])
    }

    @Test(
        "links to the program's own root lead through the proxy",
        arguments: [
            ("/next", web + "/next"), ("next", "next"), ("http://10.1.2.3/x", "http://10.1.2.3/x"),
            ("http://localhost:8001/x?y=1", web + "/x?y=1"), ("//localhost:8001/x", web + "/x"),
            ("http://localhost:8001", "http://localhost:8001"), (web + "/x", web + "/x"), ("#top", "#top"),
            ("mailto:a@b", "mailto:a@b"),
        ])
    func links(link: String, wanted: String) {
        #expect(ProxyHeaders.link(link, path: Self.path, host: "localhost:8001") == wanted)
    }

    @Test(
        "pages keep every byte but their links",
        arguments: [
            (#"<a href="/x">y</a>"#, #"<a href="!/x">y</a>"#), ("<A HREF='/x' id=1>", "<A HREF='!/x' id=1>"),
            ("<a href=/x>", "<a href=!/x>"), (#"<a title="/x">"#, #"<a title="/x">"#),
            (#"<img src="/a.png" alt="<a href='/b'>"/>"#, #"<img src="!/a.png" alt="<a href='/b'>"/>"#),
            (#"<!-- <a href="/x"> --><p>1 < 2</p>"#, #"<!-- <a href="/x"> --><p>1 < 2</p>"#),
            (#"<script>"<a href='/x'>"</script><a href="/y">"#, #"<script>"<a href='/x'>"</script><a href="!/y">"#),
            (#"<a href = "/x""#, #"<a href = "!/x""#), ("<a href", "<a href"), ("<a =/x><", "<a =/x><"), ("<", "<"),
        ])
    func pages(page: String, wanted: String) {
        let rewritten = PageLinks.rewrite(Array(page.utf8)) { "!" + $0 }
        #expect(String(decoding: rewritten, as: UTF8.self) == wanted)
    }

    @Test("the head of an answer is read when it is whole")
    func rawAnswers() {
        let text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\nrest"
        #expect(RawAnswer(Array(text.utf8.prefix(40))) == nil)
        let answer = RawAnswer(Array(text.utf8))
        #expect(answer?.code == 101)
        #expect(answer?.headers.map(\.value) == ["echo"])
        #expect(answer?.rest == Array("rest".utf8))
    }
}
