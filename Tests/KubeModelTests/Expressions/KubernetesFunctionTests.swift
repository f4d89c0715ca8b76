import CEL
import Testing

@testable import KubeModel

@Suite("Kubernetes' own functions in expressions") struct KubernetesFunctionTests {
    private func evaluate(_ text: String) throws -> String {
        let program = try Environment(functions: .kubernetes).compile(text)
        switch program.evaluate([:], costLimit: ExpressionBudget.perCall).result {
        case .success(.string(let text)): return text
        case .success(.bool(let bool)): return "\(bool)"
        case .success(.int(let number)): return "\(number)"
        case .success(let value): return value.typeName
        case .failure(let error): return "error: \(error.message)"
        }
    }

    @Test(
        "quantities",
        arguments: [
            ("quantity('1Gi').isGreaterThan(quantity('1000M'))", "true"),
            ("quantity('200M').compareTo(quantity('0.2G'))", "0"), ("quantity('50k').asInteger()", "50000"),
            ("quantity('1.5').isInteger()", "false"), ("quantity('1').add(2).sub(quantity('4')).sign()", "-1"),
            ("isQuantity('1.3Gi') && !isQuantity('200K')", "true"),
            ("quantity('1.5').asInteger()", "error: cannot convert value to integer"),
            ("quantity('1') == quantity('1000m')", "true"),
        ])
    func quantities(text: String, value: String) throws { #expect(try evaluate(text) == value) }

    @Test(
        "addresses and blocks",
        arguments: [
            ("ip('2001:DB8::0:1').family()", "6"), ("string(ip('2001:DB8:0::1'))", "2001:db8::1"),
            ("ip.isCanonical('2001:DB8::1')", "false"), ("isIP('::ffff:1.2.3.4')", "false"),
            ("ip('127.0.0.1').isLoopback() && ip('169.254.1.1').isLinkLocalUnicast()", "true"),
            ("cidr('192.168.0.0/24').containsIP('192.168.0.7')", "true"),
            ("cidr('192.168.0.0/24').containsCIDR(cidr('192.168.0.0/16'))", "false"),
            ("string(cidr('192.168.1.5/16').masked())", "192.168.0.0/16"), ("cidr('10.0.0.0/8').prefixLength()", "8"),
            ("isCIDR('10.0.0.0/33')", "false"), ("string(cidr('10.0.0.0/8').ip())", "10.0.0.0"),
        ])
    func addresses(text: String, value: String) throws { #expect(try evaluate(text) == value) }

    @Test(
        "URLs",
        arguments: [
            ("url('https://user@example.com:80/a%20b?x=1&x=2').getHost()", "example.com:80"),
            ("url('https://[::1]:8080/').getHostname()", "::1"), ("url('https://a:80/').getPort()", "80"),
            ("url('https://a/b?x=1&x=2').getQuery()['x'][1]", "2"), ("url('/a/b').getEscapedPath()", "/a/b"),
            ("isURL('http://a b') || isURL('a')", "false"),
        ])
    func urls(text: String, value: String) throws { #expect(try evaluate(text) == value) }

    @Test(
        "named formats",
        arguments: [
            ("format.dns1123Label().validate('a-b').hasValue()", "false"),
            (
                "format.named('dns1123Label').value().validate('A').value()[0].startsWith('a lowercase RFC 1123')",
                "true"
            ),
            ("format.named('nothing').hasValue()", "false"), ("format.uuid().validate('x').hasValue()", "true"),
            ("!format.dns1123LabelPrefix().validate('web-').hasValue()", "true"),
        ])
    func formats(text: String, value: String) throws { #expect(try evaluate(text) == value) }

    @Test(
        "questions to the authorizer",
        arguments: [
            ("group('').resource('pods').namespace('a').check('list').reason()", "/pods a//   list"),
            (
                "group('apps').resource('deployments').subresource('scale').name('web').check('get').reason()",
                "apps/deployments /web/scale   get"
            ),
            (
                "group('').resource('pods').fieldSelector('a=b').labelSelector('c').check('list').reason()",
                "/pods // a=b c list"
            ),
            ("path('/x').check('get').allowed()", "true"),
            ("path(' ').check('get').allowed()", "error: path must not be empty"),
            ("group('').resource('').check('get').allowed()", "error: resource must not be empty"),
            ("serviceAccount('a', 'B').path('/x').check('get').allowed()", "error: Invalid service account name"),
            (
                "serviceAccount('a.b', 'b').path('/x').check('get').allowed()",
                "error: Invalid service account namespace"
            ),
        ])
    func authorizer(text: String, value: String) throws {
        let type = ValueType.opaque("kubernetes.authorization.Authorizer")
        let authorizer = AuthorizerValue { asked in
            let selectors = "\(asked.fieldSelector) \(asked.labelSelector)"
            let place = "\(asked.namespace)/\(asked.name)/\(asked.subresource)"
            return AuthorizerValue.Answer(
                isAllowed: true, reason: "\(asked.group)/\(asked.resource) \(place) \(selectors) \(asked.verb)")
        }
        let environment = Environment(variables: ["authorizer": Declaration(type)], functions: .kubernetes)
        let program = try environment.compile("authorizer.\(text)")
        let known = ["authorizer": Value.opaque(authorizer)]
        switch program.evaluate(known, costLimit: ExpressionBudget.perCall).result {
        case .success(let found): #expect(found.string ?? (found.bool.map { "\($0)" } ?? "") == value)
        case .failure(let error): #expect("error: \(error.message)" == value)
        }
    }

    @Test("selectors cost what it takes to read them")
    func selectorCost() throws {
        let variables = ["authorizer": Declaration(.opaque("kubernetes.authorization.Authorizer"))]
        let environment = Environment(variables: variables, functions: .kubernetes)
        let known = ["authorizer": Value.opaque(AuthorizerValue { _ in .init(isAllowed: true, reason: "") })]
        func cost(_ text: String) throws -> (Int, UInt64) {
            let program = try environment.compile("authorizer.group('').resource('pods')\(text)")
            return (program.evaluate(known, costLimit: 1_000_000).cost, program.worstCost(variables: variables))
        }
        let (without, worstWithout) = try cost("")
        let (with, worst) = try cost(".labelSelector('app=web')")
        // 10 for the list, 1 for reading it, 50 for each of the 4 demands that 7 signs can hold.
        #expect(with - without == 211)
        #expect(worst - worstWithout >= 211)
    }

    @Test("named time zones are those of this machine's calendar")
    func zones() throws {
        let day = "timestamp('2024-07-01T12:00:00Z')"
        if TimeZoneRules.isKnown("Europe/Berlin") {
            #expect(try evaluate("\(day).getHours('Europe/Berlin')") == "14")
        }
        #expect(try evaluate("\(day).getHours('Nowhere/Else')") == "error: unknown time zone Nowhere/Else")
    }

    @Test(
        "names that are none in expressions are escaped",
        arguments: [
            ("a.b-c/d", "a__dot__b__dash__c__slash__d"), ("namespace", "__namespace__"), ("a__b", "a__underscores__b"),
            ("plain_name1", "plain_name1"), ("1a", nil), ("a b", nil),
        ])
    func escaping(name: String, escaped: String?) { #expect(ExpressionName.escape(name) == escaped) }
}
