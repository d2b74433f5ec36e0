"""DuckDB: SQL over generated rows, joins, windows, files, threads; exceptions from its C++."""

import tempfile
import threading
from pathlib import Path

import duckdb

with tempfile.TemporaryDirectory() as folder:
    database = Path(folder, "orders.db")
    with duckdb.connect(str(database), config={"threads": 3}) as connection:
        # Eighths: their sums are exact, whichever thread adds which rows first.
        connection.execute(
            "create table orders as select i as id, (i * 7919) % 97 as customer, "
            "(i * 31) % 1000 / 8 as price, date '2024-01-01' + (i % 366)::int as day "
            "from range(60000) t(i)"
        )
        connection.execute("create table customers as select i as id, 'c' || i as name "
                           "from range(90) t(i)")  # fmt: skip
        for query in (
            "select count(*), sum(price), median(price), count(distinct customer) from orders",
            "select month(day), round(avg(price), 3), max(id) from orders group by 1 order by 1",
            "select name, count(*) as n from orders join customers on customer = customers.id "
            "group by name order by n desc, name limit 4",
            "select count(*) from orders anti join customers on customer = customers.id",
            "select id, round(price - lag(price) over (order by id), 6) from orders "
            "order by 2 desc, 1 limit 3",
            "with recursive f(a, b) as (select 0, 1 union all "
            "select b, a + b from f where b < 5000) "
            "select max(b) from f",
            "select list(distinct price order by price)[:4], string_agg(id::text, ',') "
            "filter (id < 5) from orders",
            "select regexp_replace('ring zero', '(\\w+) (\\w+)', '\\2 \\1'), 'äöü'.upper(), "
            "strftime(timestamp '2024-02-29 13:00', '%d.%m.%y')",
            "select md5('x'), 170141183460469231731687303715884105727::hugeint",
        ):
            print(connection.sql(query).fetchall())
        path = Path(folder, "orders.csv")
        connection.execute(f"copy orders to '{path}' (header)")
        print(connection.sql(f"select count(*), sum(id) from read_csv('{path}')").fetchall())
        connection.execute("begin")
        connection.execute("delete from orders where id % 2 = 0")
        print(connection.sql("select count(*) from orders").fetchall())
        connection.execute("rollback")
        prepared = "select count(*) from orders where price > ? and day < ?"
        print(connection.execute(prepared, [50, "2024-03-01"]).fetchall())
        # Each of these is thrown as a C++ exception and caught by the binding.
        for query in (
            *("selekt 1", "select * from nowhere", "select 'x'::int", "select error('mine')"),
            "insert into customers values (1, 2, 3)",
        ):
            try:
                connection.execute(query)
            except duckdb.Error as error:
                print(type(error).__name__, str(error).splitlines()[0])

        sums: dict[int, object] = {}

        def work(number: int) -> None:
            rows = f"select sum(price) from orders where customer = {number}"
            sums[number] = connection.cursor().execute(rows).fetchone()

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(sorted(sums.items()))
    with duckdb.connect(str(database), read_only=True) as connection:
        print(connection.sql("select count(*), max(day) from orders").fetchall())
