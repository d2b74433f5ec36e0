"""Dead keys: a mark that the next letter gets."""

from __future__ import annotations

DEAD = {
    "dead_grave": ("`", "AÀEÈIÌNǸOÒUÙWẀYỲaàeèiìnǹoòuùwẁyỳ"),
    "dead_acute": ("´", "AÁCĆEÉGǴIÍKḰLĹMḾNŃOÓPṔRŔSŚUÚWẂYÝZŹaácćeégǵiíkḱlĺmḿnńoópṕrŕsśuúwẃyýzź"),
    "dead_circumflex": ("^", "AÂCĈEÊGĜHĤIÎJĴOÔSŜUÛWŴYŶZẐaâcĉeêgĝhĥiîjĵoôsŝuûwŵyŷzẑ"),
    "dead_tilde": ("~", "AÃEẼIĨNÑOÕUŨVṼYỸaãeẽiĩnñoõuũvṽyỹ"),
    "dead_macron": ("¯", "AĀEĒGḠIĪOŌUŪYȲaāeēgḡiīoōuūyȳ"),
    "dead_breve": ("˘", "AĂEĔGĞIĬOŎUŬaăeĕgğiĭoŏuŭ"),
    "dead_abovedot": (
        "˙",
        "AȦBḂCĊDḊEĖFḞGĠHḢIİMṀNṄOȮPṖRṘSṠTṪWẆXẊYẎZŻaȧbḃcċdḋeėfḟgġhḣmṁnṅoȯpṗrṙsṡtṫwẇxẋyẏzż",
    ),
    "dead_diaeresis": ("¨", "AÄEËHḦIÏOÖUÜWẄXẌYŸaäeëhḧiïoötẗuüwẅxẍyÿ"),
    "dead_hook": ("", "AẢEẺIỈOỎUỦYỶaảeẻiỉoỏuủyỷ"),
    "dead_abovering": ("°", "AÅUŮaåuůwẘyẙ"),
    "dead_doubleacute": ("˝", "OŐUŰoőuű"),
    "dead_caron": ("ˇ", "AǍCČDĎEĚGǦHȞIǏKǨLĽNŇOǑRŘSŠTŤUǓZŽaǎcčdďeěgǧhȟiǐjǰkǩlľnňoǒrřsštťuǔzž"),
    "dead_horn": ("", "OƠUƯoơuư"),
    "dead_belowdot": (
        "",
        "AẠBḄDḌEẸHḤIỊKḲLḶMṂNṆOỌRṚSṢTṬUỤVṾWẈYỴZẒaạbḅdḍeẹhḥiịkḳlḷmṃnṇoọrṛsṣtṭuụvṿwẉyỵzẓ",
    ),
    "dead_cedilla": ("¸", "CÇDḐEȨGĢHḨKĶLĻNŅRŖSŞTŢcçdḑeȩgģhḩkķlļnņrŗsştţ"),
    "dead_ogonek": ("˛", "AĄEĘIĮOǪUŲaąeęiįoǫuų"),
    "dead_belowmacron": ("ˍ", "BḆDḎKḴLḺNṈRṞTṮZẔbḇdḏhẖkḵlḻnṉrṟtṯzẕ"),
}
"""For each the mark by itself ("" where there is no such character), then pairs of a letter and the
letter with the mark, as Unicode composes them (normalization form C)."""


def compose(dead: str, symbol: str) -> str:
    """What a dead key and what is typed after it make together.

    The mark by itself comes before a space or the same dead key again; before what it does not go
    with it is typed as well.
    """
    mark, pairs = DEAD[dead]
    if symbol in (" ", dead):
        return mark
    if symbol in DEAD:
        return mark + DEAD[symbol][0]
    at = pairs[::2].find(symbol) if len(symbol) == 1 else -1
    return pairs[2 * at + 1] if at >= 0 else mark + symbol
