"""Polars: eager and lazy frames over its thread pool, joins, windows, CSV and Parquet, panics."""

import io

import polars as pl

count = 50_000
frame = pl.DataFrame({"id": range(count)}).with_columns(
    group=pl.format("g{}", pl.col("id") * 7919 % 13),
    value=(pl.col("id") * 31 % 1000) / 8,
    day=pl.date(2024, 1, 1) + pl.duration(days=pl.col("id") % 366),
)
print(frame.schema, frame.height)
summed = (
    frame.lazy()
    .group_by("group")
    .agg(
        pl.col("value").sum(),
        pl.len(),
        pl.col("id").filter(pl.col("id") % 2 == 0).max().alias("even"),
    )
)
print(summed.sort("group").collect().rows())
print(summed.filter(pl.col("group").is_in(["g1", "g2"])).collect().height)
names = pl.DataFrame({"group": ["g1", "g2", "gx"], "name": ["one", "two", "none"]})
joined = frame.join(names, on="group", how="full", coalesce=True)
print(joined.height, joined["name"].null_count(), joined.filter(pl.col("id").is_null()).rows())
print(frame.sort(["value", "id"], descending=[True, False]).head(3).rows())
print(frame.with_columns(rank=pl.col("value").rank("dense").over("group"))["rank"].sum())
monthly = frame.sort("day").group_by_dynamic("day", every="1mo")
monthly = monthly.agg(pl.col("value").mean().round(4))
print(monthly.rows()[:3])
print(frame["value"].rolling_mean(50).tail(2).round(6).to_list(), frame["value"].median())
print(
    frame["id"].arg_sort(descending=True)[:3].to_list(), frame["value"].gather([5, 7, 11]).to_list()
)
print(frame.head(6).pivot("id", index="group", values="value", aggregate_function="sum").shape)
words = pl.Series(["Ring zero", "größer", None])
print(words.str.to_uppercase().to_list(), words.str.extract(r"(\w+)$").to_list())
print(
    pl.sql('select "group", max(id) as m from frame group by 1 order by m limit 3').collect().rows()
)
print(
    frame.select(
        pl.col("id").map_elements(lambda x: len(str(x)), return_dtype=pl.Int64).sum()
    ).item()
)

text = frame.write_csv()
print(len(text), pl.read_csv(io.StringIO(text), try_parse_dates=True).equals(frame))
packed = io.BytesIO()
frame.write_parquet(packed, compression="zstd")
packed.seek(0)
print(
    pl.scan_parquet(packed)
    .filter(pl.col("id") > 49_990)
    .select(pl.col("id").sum())
    .collect()
    .item()
)
for mistake in (
    lambda: frame.select("nowhere"),
    lambda: pl.Series(["x"]).cast(pl.Int8),
    lambda: pl.read_csv(io.StringIO("a\nx\n"), schema={"a": pl.Int64}),
    lambda: frame.hstack([pl.Series("short", [1])]),
):
    try:
        mistake()
    except pl.exceptions.PolarsError as error:
        print(type(error).__name__, str(error).splitlines()[0])
