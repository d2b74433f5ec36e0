"""psycopg with a real server: types, a transaction rolled back, COPY, notifications, a pipeline."""

import datetime
import decimal

import psycopg


def use(host: str, port: int) -> None:
    address = f"host={host} port={port} user=ovum password=sesame dbname=postgres"
    with psycopg.connect(address, autocommit=True, connect_timeout=60) as connection:
        cursor = connection.cursor()
        cursor.execute(
            "create temporary table items (id serial, name text, price numeric, at date)"
        )
        day = datetime.date(2024, 2, 29)
        cursor.executemany(
            "insert into items (name, price, at) values (%s, %s, %s)",
            [(f"Stück {number}", decimal.Decimal(number) / 4, day) for number in range(100)],
        )
        cursor.execute("select count(*), sum(price), max(at) from items")
        assert cursor.fetchone() == (100, decimal.Decimal("1237.5"), day)
        try:
            with connection.transaction():
                cursor.execute("delete from items")
                cursor.execute("select 1/0")
        except psycopg.errors.DivisionByZero:
            pass
        with cursor.copy("copy items (name, price) from stdin") as copy:
            for number in range(5000):
                copy.write_row((f"row {number}", number))
        with cursor.copy("copy (select name from items order by id) to stdout") as copy:
            assert sum(1 for _ in copy.rows()) == 5100
        connection.execute("listen news")
        connection.execute("notify news, 'something'")
        notice = next(connection.notifies(timeout=60, stop_after=1))
        assert (notice.channel, notice.payload) == ("news", "something")
        with connection.pipeline():
            results = [connection.execute("select %s::int * 2", (n,)) for n in range(50)]
        assert [row[0] for result in results for row in result] == [n * 2 for n in range(50)]
