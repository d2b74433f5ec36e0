"""pandas: grouping, joining, time series with zones, text, CSV and JSON."""

import io

import numpy as np
import pandas as pd

random = np.random.default_rng(3)
count = 20_000
orders = pd.DataFrame(
    {
        "when": pd.Timestamp("2024-03-30 22:00", tz="Europe/Berlin")
        + pd.to_timedelta(np.arange(count) * 7, unit="s"),
        "shop": random.choice(["north", "south", "east"], count),
        "pieces": random.integers(1, 9, count),
        "price": random.integers(100, 9999, count) / 100,
    }
)
print(orders.dtypes.to_string())
print(orders.groupby("shop")[["pieces", "price"]].agg(["sum", "mean", "max"]).round(3).to_string())
# The night in which an hour is missing.
hourly = orders.set_index("when")["pieces"].resample("6h").sum()
print(hourly.to_string())
shops = pd.DataFrame({"shop": ["north", "south", "west"], "city": ["Kiel", "Ulm", "Bonn"]})
joined = orders.merge(shops, how="outer", on="shop", indicator=True)
print(joined["_merge"].value_counts().sort_index().to_string())
print(orders.pivot_table("price", "shop", orders["when"].dt.day, "median").round(2).to_string())
print(orders["price"].rolling(100).mean().iloc[[99, 5000, -1]].round(4).tolist())
print(orders["price"].quantile([0.1, 0.5, 0.9]).round(4).tolist())
print(pd.cut(orders["price"], [0, 10, 50, 100]).value_counts(sort=False).tolist())
print(orders["shop"].astype("category").cat.codes.sum(), orders["shop"].str.upper().unique())
print(orders.sort_values(["price", "pieces", "when"]).head(3).to_string())

text = orders.head(2000).to_csv(index=False)
again = pd.read_csv(io.StringIO(text), parse_dates=["when"])
print(len(text), again["price"].equals(orders["price"].head(2000)), again["when"].iloc[-1])
print(
    pd.read_json(
        io.StringIO(orders.head(3).to_json(orient="records", date_format="iso"))
    ).to_string()
)
print(pd.Series([1, None, 3], dtype="Int64").sum(), pd.isna(pd.Series([1, None])).tolist())
print(pd.date_range("2024-01-31", periods=4, freq="ME").strftime("%d.%m.%Y").tolist())
print(orders.eval("pieces * price").sum().round(2), orders.query("price < 1.1")["pieces"].sum())
try:
    orders.loc[:, "colour"]
except KeyError as error:
    print("KeyError", error)
try:
    pd.read_csv(io.StringIO("a,b\n1,2\n1,2,3\n"))
except pd.errors.ParserError as error:
    print(error)
