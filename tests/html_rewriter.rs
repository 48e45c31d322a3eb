//! HTMLRewriter: selectors, and what handlers can look at and change.

use serde_json::{Value, json};

use crate::harness::checks;

/// Returns the rewritten pages by name. Each case is a name, a page, and JavaScript that is appended to `new HTMLRewriter()`.
async fn rewritten(cases: &[(&str, &str, &str)]) -> Value {
    let cases: String = cases
        .iter()
        .map(|(name, page, calls)| {
            let page = serde_json::to_string(page).unwrap();
            format!("await it('{name}', () => new HTMLRewriter(){calls}.transform(new Response({page})).text());\n")
        })
        .collect();
    checks::results(&cases).await
}

/// Checks rewritten pages. The last part of each case is the expected result.
async fn assert_rewritten(cases: &[(&str, &str, &str, &str)]) {
    let given: Vec<_> = cases.iter().map(|(name, page, calls, _)| (*name, *page, *calls)).collect();
    let found = rewritten(&given).await;
    for (name, _, _, expected) in cases {
        assert_eq!(found[name], *expected, "{name}");
    }
}

#[tokio::test]
async fn elements_are_changed() {
    let page = "<p>a<b>c</b>d</p>";
    let both = |first: &str, second: &str| format!(".on('b', {{ element(e) {{ e.{first}; e.{second}; }} }})");
    assert_rewritten(&[
        ("nothing", page, "", page),
        ("no handler", page, ".on('b', {})", page),
        ("before", page, &both("before('<1>')", "before('<i>', { html: true })"), "<p>a&lt;1&gt;<i><b>c</b>d</p>"),
        ("after", page, &both("after('1')", "after('2')"), "<p>a<b>c</b>21d</p>"),
        ("prepend", page, &both("prepend('1')", "prepend('2')"), "<p>a<b>21c</b>d</p>"),
        ("append", page, &both("append('1')", "append('2', {})"), "<p>a<b>c12</b>d</p>"),
        ("replace", page, &both("replace('1')", "replace('<i>2</i>', { html: true })"), "<p>a<i>2</i>d</p>"),
        ("inner", page, &both("setInnerContent('<1>')", "setInnerContent('<i></i>', { html: true })"), "<p>a<b><i></i></b>d</p>"),
        ("remove", page, &both("remove()", "before('1')"), "<p>a1d</p>"),
        ("keep", page, &both("removeAndKeepContent()", "after('1')"), "<p>ac1d</p>"),
        ("rename", page, ".on('b', { element(e) { e.tagName = 'EM'; } })", "<p>a<EM>c</EM>d</p>"),
        ("chain", page, ".on('b', { element: (e) => e.before('1').after('2').prepend('3').append('4').setAttribute('x', 'y') && undefined })",
            "<p>a1<b x=\"y\">3c4</b>2d</p>"),
        ("set", "<a HREF=x class='c' on>", ".on('a', { element(e) { e.setAttribute('Href', 'say \"hi\" & <b>').setAttribute('new', 1); } })",
            "<a HREF=\"say &quot;hi&quot; & <b>\" class='c' on new=\"1\">"),
        ("unset", "<a x=1 Y=2 x-z=3>", ".on('a', { element(e) { e.removeAttribute('y').removeAttribute('none').removeAttribute('x'); } })",
            "<a x-z=3>"),
        ("void", "<br><img/>", ".on('br', { element(e) { e.append('x').prepend('x').setInnerContent('x').after('1').before('2'); } })",
            "2<br>1<img/>"),
        ("void removed", "a<br>b<hr>c", ".on('br', { element: (e) => e.remove() && undefined }).on('hr', { element: (e) => void e.replace('x') })", "abxc"),
        ("nested removal", "<div>a<div>b<p>c</p></div>d</div>e", ".on('div', { element: (e) => void e.remove() })", "e"),
        ("self-closing", "<svg><path/></svg>", ".on('path', { element(e) { e.append('x').after('y'); } })", "<svg><path/>y</svg>"),
        ("end tag", page, ".on('p', { element(e) { e.onEndTag((end) => { end.before('1').after('2'); end.name = 'q'; }); } })",
            "<p>a<b>c</b>d1</q>2"),
        ("end tags", "<p>a<b>c</p>", ".on('p', { element(e) { e.onEndTag((end) => { end.before('1'); }); e.onEndTag((end) => void end.before('2')); } })\
            .on('b', { element(e) { e.onEndTag((end) => void end.before('3')); } })", "<p>a<b>c312</p>"),
        ("end tag removed", page, ".on('b', { element(e) { e.onEndTag((end) => void end.remove()); } })", "<p>a<b>cd</p>"),
        ("no end tag", "<p>a<b>c", ".on('b', { element(e) { e.append('x').onEndTag(() => { throw new Error(); }); } })", "<p>a<b>c"),
        ("streams", page, ".on('b', { element(e) { e.before(new Response('<1>')).after(new Blob(['<i>']).stream(), { html: true }).prepend('2'); } })",
            "<p>a&lt;1&gt;<b>2c</b><i>d</p>"),
    ])
    .await;
}

#[tokio::test]
async fn every_selector_of_workers_matches() {
    let page = "<main id=m class='a b'><p class=x lang=en-US>1</p><p>2</p><a href='/x?y' Data-A=\"One\">3</a><p>4</p></main><p>5</p>";
    let marked = |selector: &str| {
        format!(
            ".on('{selector}', {{ text(t) {{ if (t.text) t.replace('[' + t.text + ']'); }} }}).on('*', {{ element: (e) => void e.removeAndKeepContent() }})"
        )
    };
    let cases: Vec<_> = [
        ("*", "[1][2][3][4][5]"),
        ("p", "[1][2]3[4][5]"),
        ("P", "[1][2]3[4][5]"),
        ("p:nth-child(2)", "1[2]34[5]"),
        ("p:first-child", "[1]2345"),
        ("p:nth-of-type(3)", "123[4]5"),
        ("p:first-of-type", "[1]234[5]"),
        ("main p", "[1][2]3[4]5"),
        ("main > a", "12[3]45"),
        ("p:not(.x)", "1[2]3[4][5]"),
        ("p.x", "[1]2345"),
        ("main#m.a.b a", "12[3]45"),
        ("[href]", "12[3]45"),
        ("a[data-a=\"One\"]", "12[3]45"),
        ("a[data-a=\"one\" i]", "12[3]45"),
        ("a[data-a=\"one\"]", "12345"),
        ("[class~=\"b\"]", "[1][2][3][4]5"),
        ("[href^=\"/x\"]", "12[3]45"),
        ("[href$=\"y\"]", "12[3]45"),
        ("[href*=\"?\"]", "12[3]45"),
        ("[lang|=\"en\"]", "[1]2345"),
        ("a, .x", "[1]2[3]45"),
    ]
    .iter()
    .map(|(selector, expected)| (*selector, marked(selector), *expected))
    .collect();
    let cases: Vec<_> = cases
        .iter()
        .map(|(selector, calls, expected)| (*selector, page, calls.as_str(), *expected))
        .collect();
    assert_rewritten(&cases).await;
}

#[tokio::test]
async fn text_comments_doctype_and_end_are_changed() {
    let page = "<!DOCTYPE html><!-- c --><p>a &amp; b<!--d-->c</p>";
    let doctype = "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"http://www.w3.org/x.dtd\">";
    assert_rewritten(&[
        ("text", page, ".on('p', { text(t) { t.replace(t.lastInTextNode ? '|' : t.text.toUpperCase(), { html: true }); } })",
            "<!DOCTYPE html><!-- c --><p>A &AMP; B|<!--d-->C|</p>"),
        ("text escaped", "<p>a</p>", ".on('p', { text(t) { if (t.text) t.before('<').after('>'); } })", "<p>&lt;a&gt;</p>"),
        ("text removed", page, ".onDocument({ text: (t) => void t.remove() })", "<!DOCTYPE html><!-- c --><p><!--d--></p>"),
        ("script", "<script>if (a < b) c();</script>", ".on('script', { text(t) { if (t.text) t.replace(t.text.replace('c', 'd'), { html: true }); } })",
            "<script>if (a < b) d();</script>"),
        ("comment", page, ".on('p', { comments(c) { c.text = c.text + '!'; c.before('1').after('<2>', { html: true }); } })",
            "<!DOCTYPE html><!-- c --><p>a &amp; b1<!--d!--><2>c</p>"),
        ("comments", page, ".onDocument({ comments(c) { c.text === ' c ' ? c.remove() : c.replace('x'); } })", "<!DOCTYPE html><p>a &amp; bxc</p>"),
        ("closing comment", page, ".on('p', { comments(c) { try { c.text = 'x --> y'; } catch (error) { c.text = error.name; } } })",
            "<!DOCTYPE html><!-- c --><p>a &amp; b<!--TypeError-->c</p>"),
        ("end", page, ".onDocument({ end(e) { e.append('<1>').append('<i>', { html: true }); } })",
            "<!DOCTYPE html><!-- c --><p>a &amp; b<!--d-->c</p>&lt;1&gt;<i>"),
        ("doctype", page, ".onDocument({ doctype(d) { this.seen = JSON.stringify([d.name, d.publicId, d.systemId]); }, end(e) { e.append(this.seen); } })",
            "<!DOCTYPE html><!-- c --><p>a &amp; b<!--d-->c</p>[\"html\",null,null]"),
        ("long doctype", doctype, ".onDocument({ doctype(d) { this.seen = [d.name, d.publicId, d.systemId].join(); }, end(e) { e.append(this.seen); } })",
            &format!("{doctype}html,-//W3C//DTD XHTML 1.0 Strict//EN,http://www.w3.org/x.dtd")),
        ("empty", "", ".onDocument({ end: (e) => void e.append('x') })", "x"),
        ("unfinished", "<p>a<b", ".on('p', { text: (t) => void t.remove() })", "<p><b"),
    ])
    .await;
}

#[tokio::test]
async fn handlers_see_what_is_there_and_what_was_changed_before_them() {
    let found = checks::results(
        "const seen = async (page, on) => {
           const log = [];
           const rewriter = new HTMLRewriter();
           on(rewriter, (...what) => void log.push(what.length === 1 ? what[0] : what));
           await rewriter.transform(new Response(page)).text();
           return log;
         };
         await it('element', () => seen('<DIV Id=\"a&amp;b\" x Y=\"\">', (rewriter, log) => rewriter.on('div', { element(e) {
           log(e.tagName, e.namespaceURI, e.removed, [...e.attributes], e.getAttribute('ID'), e.getAttribute('x'),
             e.getAttribute('none'), e.hasAttribute('y'), e.hasAttribute('none'), String(e), typeof e.attributes.next);
         } })));
         await it('namespace', () => seen('<svg><a/></svg><math></math>', (rewriter, log) => rewriter.on('*', { element(e) { log(e.namespaceURI.slice(-4)); } })));
         await it('changes', () => seen('<p a=1>', (rewriter, log) => rewriter
           .on('p', { element(e) { e.tagName = 'Q'; e.setAttribute('B', 2); e.setAttribute('A', '3'); e.removeAttribute('none'); } })
           .on('[a]', { element(e) { log(e.tagName, [...e.attributes], e.removed); e.remove(); } })
           .on('*', { element(e) { e.removeAttribute('A'); log([...e.attributes], e.removed); } })));
         await it('inside of what is removed', () => seen('<p>a<b>c</b></p><b>d</b>', (rewriter, log) => rewriter
           .on('p', { element: (e) => void e.setInnerContent('x') }).on('b', { element: (e) => log(e.removed), text: (t) => log(t.text) })));
         await it('order', () => seen('<p>a</p>', (rewriter, log) => rewriter
           .onDocument({ text: (t) => log('document ' + t.text), end: () => log('end') })
           .on('p', { element(e) { log('first'); e.onEndTag((end) => log('end of ' + end.name)); }, text: (t) => log('text ' + t.text) })
           .on('*', { element: () => log('second') })));
         await it('text', () => seen('<p>a<b>b</b>c</p>', (rewriter, log) => rewriter.on('p', { text(t) { log(t.text, t.lastInTextNode, t.removed); t.remove(); } })
           .on('b', { text: (t) => log(t.removed) })));
         await it('this', () => seen('<p>', (rewriter, log) => rewriter.on('p', new class { name = 'own'; element() { log(this.name); } }())));
         await it('again', async () => {
           let count = 0;
           const rewriter = new HTMLRewriter().on('p', { element: () => void count++ });
           const texts = ['<p>', '<p><p>'].map((page) => rewriter.transform(new Response(page)).text());
           return [await Promise.all(texts), count];
         });
         await it('shape', () => [HTMLRewriter.length, Object.keys(HTMLRewriter.prototype), HTMLRewriter.prototype.on.length, String(new HTMLRewriter())]);
         await it('tokens', async () => {
           const kept = [];
           const page = '<!doctype html><p>text<!--c--></p>';
           await new HTMLRewriter().onDocument({ doctype: (d) => void kept.push(d), end: (e) => void kept.push(e) })
             .on('p', { element(e) { kept.push(e); e.onEndTag((end) => void kept.push(end)); }, comments: (c) => void kept.push(c),
               text(t) { if (t.text) kept.push(t); } })
             .transform(new Response(page)).text();
           const use = (run) => { try { return run(); } catch (error) { return error.name; } };
           return kept.map((token) => [Object.prototype.toString.call(token), use(() => token.before?.('x') ?? token.append?.('x') ?? token.name),
             use(() => new token.constructor())]);
         });
         await it('message', async () => {
           let kept;
           await new HTMLRewriter().on('p', { element: (e) => void (kept = e) }).transform(new Response('<p>')).text();
           return kept.tagName;
         });",
    )
    .await;
    let token = |name: &str| json!([format!("[object {name}]"), "TypeError", "TypeError"]);
    assert_eq!(
        found,
        json!({
            "element": [["div", "http://www.w3.org/1999/xhtml", false, [["id", "a&amp;b"], ["x", ""], ["y", ""]], "a&amp;b", "", null,
                true, false, "[object Element]", "function"]],
            "namespace": ["/svg", "/svg", "thML"],
            "changes": [["q", [["a", "3"], ["b", "2"]], false], [[["b", "2"]], true]],
            "inside of what is removed": [true, "c", "", false, "d", ""],
            "order": ["first", "second", "text a", "document a", "text ", "document ", "end of p", "end"],
            "text": [["a", false, false], ["", true, false], ["b", false, false], true, ["", true, false], true, ["c", false, false], ["", true, false]],
            "this": ["own"],
            "again": [["<p>", "<p><p>"], 3],
            "shape": [0, ["on", "onDocument", "transform"], 2, "[object HTMLRewriter]"],
            "tokens": [token("Doctype"), token("Element"), token("Text"), token("Comment"), token("EndTag"), token("DocumentEnd")],
            "message": "TypeError: This Element is no longer valid: it can be used only until its handler returns or its promise resolves",
        })
    );
}

#[tokio::test]
async fn mistakes_are_named() {
    let found = checks::results(
        "const on = (selector) => new HTMLRewriter().on(selector, {});
         for (const selector of ['p >', 'p:hover', 'a + b', '', 'p[', 'svg|a']) await it(selector, () => on(selector));
         const thrown = (page, run) => new HTMLRewriter().on('p, br', { element: run }).transform(new Response(page)).text();
         await it('name', () => thrown('<p>', (e) => { e.tagName = '1'; }));
         await it('attribute', () => thrown('<p>', (e) => { e.setAttribute('a b', 1); }));
         await it('void', () => thrown('<br>', (e) => { e.onEndTag(() => {}); }));
         await it('arguments', () => thrown('<p>', (e) => { e.before(); }));
         await it('this', () => thrown('<p>', (e) => { Object.getPrototypeOf(e).before.call({}, ''); }));
         await it('handler', () => new HTMLRewriter().on('p', { element: 1 }));
         await it('handlers', () => new HTMLRewriter().onDocument());
         await it('response', () => new HTMLRewriter().transform('<p>'));
         await it('used', async () => { const used = new Response('x'); await used.text(); return new HTMLRewriter().transform(used); });
         await it('charset', () => new HTMLRewriter().transform(new Response('x', { headers: { 'content-type': 'text/html; charset=utf-16' } })));
         await it('ambiguous', () => new HTMLRewriter().on('p', { element() {} }).transform(new Response('<select><xmp><script>x</script></select>')).text());
         await it('long', () => new HTMLRewriter().on('p', { element() {} }).transform(new Response('<p a=\"' + 'x'.repeat(5000000))).text());
         await it('chunk', () => new HTMLRewriter().transform(new Response(new ReadableStream({ start(c) { c.enqueue('text'); c.close(); } }))).text());",
    )
    .await;
    let selector = |selector: &str, why: &str| {
        json!(format!("TypeError: HTMLRewriter cannot use the selector {selector:?}: {why}"))
    };
    assert_eq!(
        found,
        json!({
            "p >": selector("p >", "Dangling combinator in selector."),
            "p:hover": selector("p:hover", "Unsupported pseudo-class or pseudo-element in selector."),
            "a + b": selector("a + b", "Unsupported combinator `+` in selector."),
            "": selector("", "The selector is empty."),
            "p[": selector("p[", "Unexpected end of selector."),
            "svg|a": selector("svg|a", "Selectors with explicit namespaces are not supported."),
            "name": "TypeError: 1 cannot be the name of a tag",
            "attribute": "TypeError: Failed to execute 'setAttribute' on 'Element': \"a b\" cannot be the name of an attribute",
            "void": "TypeError: Failed to execute 'onEndTag' on 'Element': <br> has no end tag",
            "arguments": "TypeError: Failed to execute 'before' on 'Element': 1 argument required, but only 0 present",
            "this": "TypeError: Illegal invocation",
            "handler": "TypeError: Failed to execute 'on' on 'HTMLRewriter': 'element' of Argument 2 is not a function",
            "handlers": "TypeError: Failed to execute 'onDocument' on 'HTMLRewriter': 1 argument required, but only 0 present",
            "response": "TypeError: Failed to execute 'transform' on 'HTMLRewriter': Argument 1 is not of type Response",
            "used": "TypeError: Failed to execute 'transform' on 'HTMLRewriter': the body of the response was used already",
            "charset": "TypeError: HTMLRewriter cannot read the charset \"utf-16\" of the response's content-type",
            "ambiguous": found["ambiguous"],
            "long": "TypeError: HTMLRewriter: a tag, a comment or the nesting of the document takes more than 4 MiB",
            "chunk": "TypeError: HTMLRewriter: a chunk of the response's body is not an ArrayBuffer or a view of one",
        })
    );
    assert!(
        found["ambiguous"]
            .as_str()
            .unwrap()
            .starts_with("TypeError: HTMLRewriter: The parser has encountered"),
        "{found}"
    );
}
