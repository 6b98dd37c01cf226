"""The regulator."""
app_name = "regulator"
urlpatterns: list = []
