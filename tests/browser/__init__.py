"""What people see: pages in a real browser, under the headers that production sends."""
