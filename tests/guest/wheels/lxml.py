"""lxml: parsing, XPath, XSLT with Python functions in it, schemas, HTML; errors of libxml2."""

import io

from lxml import etree, html, objectify

root = etree.Element("orders")
for number in range(1500):
    order = etree.SubElement(root, "order", id=str(number), shop=f"s{number % 7}")
    etree.SubElement(order, "price").text = f"{number * 31 % 1000 / 10}"
    order.append(etree.Comment(f"größe {number}"))
packed = etree.tostring(root, encoding="utf-8", xml_declaration=True)
print(len(packed), packed[:80])
tree = etree.fromstring(packed)
print(tree.xpath("count(//order[@shop='s3'])"), tree.xpath("sum(//price[. > 50])"))
print(tree.xpath("//order[price > $least]/@id", least=99.85))
print(sum(1 for _, one in etree.iterparse(io.BytesIO(packed), tag="price") if one.text > "5"))


def doubled(_: object, values: list[etree._Element]) -> float:
    """A function for XSLT."""
    return 2 * float(values[0].text)


etree.FunctionNamespace("urn:ovum")["doubled"] = doubled
transform = etree.XSLT(
    etree.XML("""
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:o="urn:ovum"
    exclude-result-prefixes="o">
  <xsl:template match="/orders"><list>
    <xsl:for-each select="order[@shop='s1'][position() &lt; 4]">
      <xsl:sort select="price" data-type="number" order="descending"/>
      <item id="{@id}"><xsl:value-of select="o:doubled(price)"/></item>
    </xsl:for-each></list>
  </xsl:template>
</xsl:stylesheet>""")
)
print(str(transform(tree)))

schema = etree.RelaxNG(etree.XML(
    '<element name="orders" xmlns="http://relaxng.org/ns/structure/1.0">'
    '<oneOrMore><element name="order"><attribute name="id"/><text/></element></oneOrMore></element>'
))  # fmt: skip
print(schema.validate(tree), schema.error_log[0].message)
for text in (b"<a><b></a>", b"", b"<a>&nothing;</a>", b"<a \xff='1'/>"):
    try:
        etree.fromstring(text)
    except etree.XMLSyntaxError as error:
        print(error)
page = html.fromstring("<p>one<p>two <a href='/x?a=1&b=2'>three</a><br><table><tr><td>4</table>")
page.make_links_absolute("https://ovum.example")
print(html.tostring(page), page.text_content(), [link[2] for link in page.iterlinks()])
print(objectify.fromstring(b"<a><n>1</n><n>2.5</n></a>").n[1] * 2)
print(etree.canonicalize("<b  y='2' x='1'><c/></b>"))
with etree.xmlfile(out := io.BytesIO(), encoding="utf-8") as file, file.element("root"):
    for number in range(3):
        file.write(etree.Element("row", n=str(number)))
print(out.getvalue())
