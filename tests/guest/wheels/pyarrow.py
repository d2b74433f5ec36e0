"""Apache Arrow: tables, compute kernels, joins, Parquet with its codecs, IPC, CSV; its threads."""

import io

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

pa.set_cpu_count(3)
count = 50_000
table = pa.table(
    {
        "id": pa.array(range(count), pa.int64()),
        "group": pa.array(
            [f"g{(number * 7919) % 13}" for number in range(count)]
        ).dictionary_encode(),
        "value": pa.array([(number * 31) % 1000 / 8 for number in range(count)]),
        "maybe": pa.array([None if number % 7 == 0 else number % 50 for number in range(count)]),
    }
)
print(table.schema)
plain = table.set_column(1, "group", table["group"].cast(pa.string()))
grouped = plain.group_by("group").aggregate([("value", "sum"), ("maybe", "count"), ("id", "max")])
print(grouped.sort_by("group").to_pylist())
names = pa.table({"group": ["g1", "g2", "gx"], "name": ["one", "two", "none"]})
joined = plain.join(names, "group", join_type="inner")
print(joined.num_rows, pc.sum(joined["id"]), sorted(pc.unique(joined["name"]).to_pylist()))
order = pc.sort_indices(table, [("value", "descending"), ("id", "ascending")])
print(order[:5].to_pylist(), pc.quantile(table["value"], [0.1, 0.9]).to_pylist())
print(table.filter((pc.field("value") > 124) & pc.field("maybe").is_null()).num_rows)
print(pc.utf8_upper(pa.array(["größe", None])).to_pylist(), pc.mean(table["maybe"]).as_py())
print(pc.strptime(pa.array(["2024-02-29"]), "%Y-%m-%d", "s").to_pylist())

for codec in ("none", "snappy", "gzip", "zstd", "lz4", "brotli"):
    packed = io.BytesIO()
    pq.write_table(plain.slice(0, 20_000), packed, compression=codec, row_group_size=5000)
    read = pq.read_table(packed, columns=["id", "group"], filters=[("id", ">=", 15_000)])
    print(codec, len(packed.getvalue()), read.num_rows, pc.sum(read["id"]))

sink = pa.BufferOutputStream()
with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as out:
    out.write_table(table, max_chunksize=8000)
opened = pa.ipc.open_file(sink.getvalue())
print(opened.num_record_batches, opened.read_all().equals(table))
text = io.BytesIO()
pyarrow.csv.write_csv(plain, text)
text.seek(0)
print(len(text.getvalue()), pyarrow.csv.read_csv(text).equals(plain))
print(pa.concat_tables([table, table]).combine_chunks().nbytes)

for mistake in (
    lambda: pa.array([1, "x"]),
    lambda: pc.divide(pa.array([1]), 0),
    lambda: pc.cast(pa.array(["1", "two"]), pa.int8()),
    lambda: table.column("nowhere"),
    lambda: pq.read_table(io.BytesIO(b"PAR1 but not really PAR1")),
    lambda: pyarrow.csv.read_csv(io.BytesIO(b"a,b\n1,2\n3\n")),
):
    try:
        mistake()
    except (pa.ArrowException, KeyError) as error:
        print(type(error).__name__, str(error).splitlines()[0])
