from django.apps import AppConfig


class ProductsConfig(AppConfig):
    name = "traceability.products"
    label = "products"
