"""The sample plant: one program that plays the ERP, the MES and the WMS of a factory, over files and HTTP, for the demonstration and for
tests. Each of the three keeps what it has and what it was sent in a database, so that it can be asked afterwards, and misbehaves on
request. docs/integration/sample-plant.md tells more. Standard library only."""
