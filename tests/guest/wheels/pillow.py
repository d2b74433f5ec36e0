"""Pillow: drawing, scaling and the codecs that its wheel brings along."""

import hashlib
import io

from PIL import Image, ImageDraw, ImageFilter, ImageFont, UnidentifiedImageError, features

picture = Image.new("RGB", (320, 200), "navy")
draw = ImageDraw.Draw(picture)
for step in range(0, 320, 16):
    draw.line((step, 0, 320 - step, 199), fill=(255, step % 256, 0), width=2)
draw.ellipse((60, 30, 260, 170), outline="white", width=5)
# FreeType, and the font that is part of Pillow; the other layout engine asks for a system library.
font = ImageFont.load_default(24)
font.path.seek(0)
font = font.font_variant(layout_engine=ImageFont.Layout.BASIC)
draw.text((90, 85), "Ring 0 — Größe", font=font, fill="yellow")


def shown(name: str, image: Image.Image) -> None:
    """A line that tells two pictures apart."""
    print(name, image.mode, image.size, hashlib.sha256(image.tobytes()).hexdigest()[:16])


shown("drawn", picture)
shown("scaled", picture.resize((97, 61), Image.Resampling.LANCZOS))
shown("turned", picture.rotate(31, Image.Resampling.BICUBIC, expand=True))
shown("blurred", picture.filter(ImageFilter.GaussianBlur(3)))
shown("grey", picture.convert("L"))
shown("colours", picture.quantize(16).convert("RGB"))

for kind, settings in (
    *(("PNG", {}), ("GIF", {}), ("BMP", {}), ("TIFF", {"compression": "tiff_lzw"})),
    *(("JPEG", {"quality": 80}), ("JPEG2000", {}), ("WEBP", {"lossless": True})),
    ("AVIF", {"speed": 10}),
):
    packed = io.BytesIO()
    picture.save(packed, kind, **settings)
    size = len(packed.getvalue())
    packed.seek(0)
    with Image.open(packed) as read:
        read.load()
        # Lossy codecs may use other instructions on other processors: what they give is not
        # compared to the bit.
        if kind in ("JPEG", "JPEG2000", "AVIF"):
            mean = read.convert("RGB").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
            print(kind, read.size, size > 1000, [round(value / 4) for value in mean])
        else:
            print(kind, size)
            shown("  read", read.convert("RGB"))
print(sorted(features.get_supported_codecs()))
try:
    Image.open(io.BytesIO(b"no picture at all"))
except UnidentifiedImageError:
    print("not a picture")
try:
    with Image.open(io.BytesIO(packed.getvalue()[:300])) as cut:
        cut.load()
except (OSError, ValueError) as error:
    print("cut off:", type(error).__name__)
